"""Write the results of the shipped card and the study's tables into README, model card and docs/study.md.

    python experiments/results.py

Each goes between two comments of its name; a test holds the documents to the card and to experiments/study.
"""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from twelvelead.classifier import shipped_bundle
from twelvelead.diagnoses import IN_WORDS

ROOT = Path(__file__).parent.parent
DOCUMENTS = ("README.md", "docs/model-card.md", "docs/study.md")

SHIPPED = "single-taught"  # the study's network whose recipe ships
HERE, ELSEWHERE = "out of fold", "databases left out"  # as the study calls its tests
TESTS = {HERE: False, ELSEWHERE: True}  # whether a database was left out
PARTS = {
    "of these, PTB-XL fold 9": "ptb-xl-fold-9.txt",
    "of these, CPSC2018 even": "cpsc2018-even.txt",
}  # of out of fold
FEW = 5
LARGEST = "ptb-xl"
SHORT = "sens. / spec. / PPV"
RATES = {"sensitivity": "sensitivity", "specificity": "specificity", "ppv": "PPV"}
COLUMNS = {"auroc": "AUROC", "auprc": "AUPRC", "f2": "F2", "g2": "G2"}


def between(text: str, name: str, inside: str) -> str:
    """The text with what stands between the two comments of that name replaced."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    if begin not in text or end not in text:
        raise ValueError(f"no {begin} and {end}")
    return re.sub(f"{begin}.*{end}", lambda _: f"{begin}\n{inside}\n{end}", text, flags=re.DOTALL)


def summary(card: dict[str, Any]) -> str:
    """A row per test: the means over the classes that have a positive, with 95 % intervals where each has enough."""
    parts = card["tests"][ELSEWHERE]["databases"]
    rows = [
        f"| {name} | {test['records']} | {test['patients']} | " + " | ".join(_cell(test, column) for column in COLUMNS)
        for name, test in [*card["tests"].items(), *((f"{name} left out", part) for name, part in parts.items())]
    ]
    head = f"| test | recordings | patients | {' | '.join(COLUMNS.values())} |"
    notes = [
        "A recording whose patient nobody knows counts as a patient.",
        f"No interval where a class of the mean has fewer than {FEW} positives: resamples without it do not count.",
    ]
    notes += [_of_frequent(name, test) for name, test in card["tests"].items()]
    notes += [
        f"{name} has no positive of {', '.join(test['without_positives'])}: left out of its means."
        for name, test in card["tests"].items()
        if test["without_positives"]
    ]
    return "\n".join([head, "|---|---:|---:|---|---|---|---|", *(f"{row} |" for row in rows), "", *notes]).rstrip()


def _of_frequent(name: str, test: dict[str, Any]) -> str:
    """The mean AUROC without the classes that so few recordings have that one of them moves the mean."""
    areas = [row["auroc"] for row in test["classes"].values() if row["positives"] >= FEW]
    return (
        f"{name}: mean AUROC of the {len(areas)} classes with at least {FEW} positives {sum(areas) / len(areas):.3f}."
    )


def by_class(card: dict[str, Any]) -> str:
    """A row per diagnosis and test: positives, scores, and their intervals where there are positives enough."""
    lines = [f"| diagnosis | test | positives | {' | '.join(COLUMNS.values())} |", "|---|---|---:|---|---|---|---|"]
    for diagnosis, words in IN_WORDS.items():
        for name, test in card["tests"].items():
            row = test["classes"][diagnosis]
            lines.append(f"| {diagnosis}, {words} | {name} | {row['positives']} | {_cells(row, COLUMNS)} |")
    return "\n".join(lines)


def decisions(card: dict[str, Any]) -> str:
    """A row per diagnosis: its threshold, and how often decisions were right out of fold and in hospitals not seen."""
    here, (large, small) = card["tests"][HERE], _elsewhere(card)
    n_small = sum(part["records"] for part in small)
    heads = ["n", *RATES.values(), f"n of {n_small} elsewhere", SHORT, f"PTB-XL as elsewhere: {SHORT}"]
    lines = [f"| diagnosis | positive from | {' | '.join(heads)} |", f"|---|---:|{'---:|' * len(heads)}"]
    for diagnosis, words in IN_WORDS.items():
        one, other = here["classes"][diagnosis], together(small, diagnosis)
        cells = [str(one["positives"]), *(_share(one[rate]) for rate in RATES), str(other["positives"])]
        cells += [" / ".join(_share(row[rate]) for rate in RATES) for row in (other, large["classes"][diagnosis])]
        lines.append(f"| {diagnosis}, {words} | {card['thresholds'][diagnosis]:.2f} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _elsewhere(card: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Of databases left out the largest, without which little is left to learn from, and the others."""
    parts = card["tests"][ELSEWHERE]["databases"]
    return parts[LARGEST], [part for name, part in parts.items() if name != LARGEST]


def together(parts: list[dict[str, Any]], diagnosis: str) -> dict[str, Any]:
    """How often a diagnosis was called, and rightly, in several databases as if they were one; without intervals."""
    rows = [part["classes"][diagnosis] for part in parts]
    positives, called = (sum(row[name] for row in rows) for name in ("positives", "called"))
    found = sum(round((row["sensitivity"] or 0) * row["positives"]) for row in rows)
    negatives = sum(part["records"] for part in parts) - positives
    return {
        "positives": positives,
        "called": called,
        "sensitivity": found / positives,
        "specificity": 1 - (called - found) / negatives,
        "ppv": found / called if called else None,
        "intervals": dict.fromkeys(RATES, (None, None)),
    }


def by_decision(card: dict[str, Any]) -> str:
    """A row per diagnosis and test: how many were called positive, and how often rightly, with intervals."""
    lines = [
        f"| diagnosis | test | positives | called | {' | '.join(RATES.values())} |",
        "|---|---|---:|---:|---|---|---|",
    ]
    large, small = _elsewhere(card)
    for diagnosis in IN_WORDS:
        rows = {
            HERE: card["tests"][HERE]["classes"][diagnosis],
            "PTB-XL left out": large["classes"][diagnosis],
            "the four others left out": together(small, diagnosis),
        }
        for name, row in rows.items():
            lines.append(f"| {diagnosis} | {name} | {row['positives']} | {row['called']} | {_cells(row, RATES)} |")
    return "\n".join(lines)


def data(card: dict[str, Any]) -> str:
    """The databases of the training with licence and source."""
    return "\n".join(f"- {source['name']}, {source['licence']}: {source['source']}" for source in card["data"])


def facts(card: dict[str, Any]) -> str:
    """What the bundle is and how it was made."""
    network, training, validation = card["network"], card["training"], card["validation"]
    positives = ", ".join(f"{name} {count}" for name, count in training["recordings"]["positives"].items())
    return "\n".join(
        [
            f"- {card['name']} {card['version']}: network `{network['name']}`, {network['parameters']:,} parameters, "
            f"{network['macs_per_10_s'] / 1e6:.1f} million multiply-adds for 10 s.",
            f"- Trained on {training['recordings']['count']:,} recordings, stopped early and calibrated on "
            f"{validation['recordings']['count']:,} others; "
            f"best epoch {training['best_epoch']} of {training['epochs']}.",
            f"- Positives in training: {positives}.",
        ]
    )


def _cell(test: dict[str, Any], column: str) -> str:
    """A mean over classes, with its interval where each class that counts in it has positives enough."""
    has_few = any(0 < row["positives"] < FEW for row in test["classes"].values())
    return _score(test["scores"][column], (None, None) if has_few else test["intervals"][column])


def _cells(row: dict[str, Any], columns: Iterable[str]) -> str:
    """A diagnosis's numbers, with intervals where it has positives enough: else resamples are one another's copies."""
    bounds = row["intervals"] if row["positives"] >= FEW else dict.fromkeys(columns, (None, None))
    return " | ".join(_score(row[column], bounds[column]) for column in columns)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _score(value: float | None, bounds: Sequence[float | None]) -> str:
    if value is None:
        return "–"
    low, high = bounds
    return f"{value:.3f}" if low is None or high is None else f"{value:.3f} ({low:.2f}–{high:.2f})"


def tables(_: dict[str, Any]) -> str:
    """The study's."""
    return (ROOT / "experiments/study/study.md").read_text(encoding="utf-8").strip()


def renewed(text: str) -> str:
    """A document with its results as they are now."""
    card = json.loads((shipped_bundle() / "card.json").read_text(encoding="utf-8"))
    parts = {
        "results": summary,
        "classes": by_class,
        "decisions": decisions,
        "calls": by_decision,
        "data": data,
        "facts": facts,
        "tables": tables,
    }
    for name, render in parts.items():
        if f"<!-- {name} -->" in text:
            text = between(text, name, render(card))
    return text


def main() -> None:
    """Renew the documents."""
    for document in DOCUMENTS:
        path = ROOT / document
        path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()

"""The Challenge's own form of labels and outputs: headers with `Dx`, and `.csv` files of four lines."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from twelvelead.formats.files import read_bytes
from twelvelead.formats.wfdb_header import MAX_HEADER_BYTES, comments_of, headers_in
from twelvelead.record import RecordError
from twelvelead.scoring.challenge import Phase, ScoreError, Scores, challenge_scores

CHALLENGE_2020_EQUIVALENT: Final = {"59118001": "713427006", "63593006": "284470004", "17338001": "427172004"}
CHALLENGE_2020_SCORED: Final = frozenset(
    {
        "10370003", "111975006", "164889003", "164890007", "164909002", "164917005", "164934002", "164947007",
        "251146004", "270492004", "284470004", "39732003", "426177001", "426627000", "426783006", "427084000",
        "427172004", "427393009", "445118002", "47665007", "59931005", "698252002", "713426002", "713427006",
    }
)  # fmt: skip
DECISIONS: Final = dict.fromkeys(("1", "True", "true", "T", "t"), True) | dict.fromkeys(
    ("0", "False", "false", "F", "f", ""), False
)


@dataclass(frozen=True)
class Output:
    """What an entry said of one recording, by class: whether it is positive, and its score."""

    decisions: dict[str, bool]
    scores: dict[str, float]


def score_folders(labels: Path, outputs: Path, phase: Phase) -> Scores:
    """Score the `.csv` outputs of any entry against the headers of a folder, recording by recording, by name.

    In the final phase equivalent SNOMED codes are one class and only the Challenge's scored classes count, where the
    classes are SNOMED codes; abbreviations such as CPSC2018's all count. Raises ScoreError on a missing or bad file,
    and where labels are codes and outputs names, or the other way round.
    """
    truth = {path.stem: _labels(path) for path in sorted(headers_in(labels))}
    if not truth:
        raise ScoreError(f"no .hea files in {labels}: name the folder that holds the labels")
    given = {name: _output(outputs / f"{name}.csv", phase) for name in truth}
    named = set().union(*(output.scores for output in given.values()))
    _refuse_other_names(set().union(*truth.values()), named, phase)
    if phase == "2020":
        truth = {name: {_representative(code) for code in codes} for name, codes in truth.items()}
        given = {name: _merged(output, named) for name, output in given.items()}
    classes = sorted(set().union(*truth.values(), *(output.scores for output in given.values())))
    if phase == "2020" and any(code.isdigit() for code in classes):
        classes = [code for code in classes if code in CHALLENGE_2020_SCORED]
    outputs_in_order = [(given[name].decisions, given[name].scores) for name in truth]
    return challenge_scores(
        np.array([[name in codes for name in classes] for codes in truth.values()], bool),
        np.array([[decisions.get(name, False) for name in classes] for decisions, _ in outputs_in_order], bool),
        np.array([[scores.get(name, 0.0) for name in classes] for _, scores in outputs_in_order], float),
        phase,
    )


def _refuse_other_names(labels: set[str], named: set[str], phase: Phase) -> None:
    """Raise ScoreError where one side has SNOMED codes and the other none: the scores would be those of silence.

    In the unofficial phase, where each class counts by itself, only if no class can be meant by both.
    """
    coded, coded_outputs = ({name.isdigit() for name in names} for names in (labels, named))
    is_silence = phase == "2020" and True in coded and True not in coded_outputs
    if named and (is_silence or not coded & coded_outputs):
        raise ScoreError(
            f"the labels are such as {min(labels)}, the outputs name {', '.join(sorted(named)[:9])}: "
            f"name the classes in both alike, by SNOMED codes or by abbreviations"
        )


def _labels(path: Path) -> set[str]:
    codes = {code.strip() for code in comments_of(_lines(path)).get("dx", "").split(",")} - {""}
    if not codes:
        raise ScoreError(f"{path} has no Dx: a recording without labels cannot be scored; take it out")
    return codes


def _output(path: Path, phase: Phase) -> Output:
    lines = _lines(path)
    rows = [[cell.strip() for cell in line.split(",")] for line in lines[1:4]]
    if len(rows) < 3 or not len(rows[0]) == len(rows[1]) == len(rows[2]):
        raise ScoreError(
            f"{path} has {len(lines)} lines of {[len(row) for row in rows]} entries: it must have four, "
            f"#record, classes, 0/1 and scores, the last three of equal length"
        )
    names, decisions, scores = rows
    if len(set(names)) < len(names):
        raise ScoreError(
            f"{path} names {next(name for name in names if names.count(name) > 1)!r} twice: each class once"
        )
    if unknown := set(decisions) - DECISIONS.keys():
        raise ScoreError(f"{path}: decision {min(unknown)!r} is neither 0 nor 1")
    return Output(
        {name: DECISIONS[cell] for name, cell in zip(names, decisions, strict=True)},
        {name: _number(cell, path, phase) for name, cell in zip(names, scores, strict=True)},
    )


def _lines(path: Path) -> list[str]:
    try:
        return read_bytes(path, at_most=MAX_HEADER_BYTES).decode("utf-8", errors="replace").splitlines()
    except RecordError as error:
        raise ScoreError(f"{error}: a folder of outputs needs a plain .csv for each .hea of the labels") from error


def _number(cell: str, path: Path, phase: Phase) -> float:
    """A score; in the final phase, as its script had it, what is no number counts as 0; `nan` and `inf` are some."""
    try:
        value = float(cell)
    except ValueError:
        value = 0.0 if phase == "2020" else np.nan
    if np.isfinite(value) or phase == "2020":
        return value
    raise ScoreError(f"{path}: score {cell!r} is no number: it must be one, such as 0.25; correct it")


def _representative(code: str) -> str:
    return CHALLENGE_2020_EQUIVALENT.get(code, code)


def _merged(output: Output, named: set[str]) -> Output:
    """Equivalent classes as one: positive if any is, with the mean of their scores.

    named: the classes of all files; in the mean, one that this file does not name counts 0, and a NaN not at all.
    """
    members: dict[str, list[str]] = {}
    for name in sorted(named):
        members.setdefault(_representative(name), []).append(name)
    scores = {
        name: [score for each in same if not np.isnan(score := output.scores.get(each, 0.0))]
        for name, same in members.items()
    }
    return Output(
        {name: any(output.decisions.get(each, False) for each in same) for name, same in members.items()},
        {name: float(np.mean(there)) if there else 0.0 for name, there in scores.items()},
    )

"""Train the bundle that is shipped, test it, and write its results into card, README and model card.

    python experiments/ship.py DATA [NETWORK]

DATA holds PTB-XL (strat_fold 1-9), LUDB, CPSC2018 and the Challenge's databases, in their home layouts. The test is
never trained on (experiments/test_lists.py). About 20 minutes on one core; killed, it goes on where it was.
Result on 2026-11-22: the tables of docs/model-card.md.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import results

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "src/twelvelead/classifier/shipped"
FRESH = ROOT / "build/shipped"


def twelvelead(*arguments: object) -> None:
    """Run a command as a user would; stop where it fails."""
    subprocess.run([sys.executable, "-m", "twelvelead", *map(str, arguments)], check=True)


def write_documents(card: dict[str, object]) -> None:
    """Put what the card says between the marks of README and model card."""
    parts = {"results": results.summary, "classes": results.by_class, "data": results.data, "facts": results.facts}
    for document in (ROOT / "README.md", ROOT / "docs/model-card.md"):
        text = document.read_text(encoding="utf-8")
        for name, render in parts.items():
            if f"<!-- {name} -->" in text:
                text = results.between(text, name, render(card))
        document.write_text(text, encoding="utf-8")


def main() -> None:
    """Train unless there is a fresh bundle already, test, ship."""
    data, network = sys.argv[1], (sys.argv[2:] or ["triple"])[0]
    lists = [ROOT / "experiments" / name for name in results.TESTS.values()]
    if not FRESH.exists():
        state = FRESH.with_name(FRESH.name + ".state")
        held_out = [part for path in lists for part in ("--hold-out", path)]
        resume = ["--resume"] if state.exists() else []
        twelvelead("train", data, "--out", FRESH, "--network", network, *held_out, *resume)
    for name, path in zip(results.TESTS, lists, strict=True):
        twelvelead("evaluate", data, "--bundle", FRESH, "--records", path, "--card", name)
    shutil.rmtree(SHIPPED, ignore_errors=True)
    shutil.copytree(FRESH, SHIPPED)
    write_documents(json.loads((SHIPPED / "card.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()

"""Train the bundle that is shipped on all recordings, and write the study's results into card, README and model card.

    python experiments/ship.py DATA

DATA holds PTB-XL (strat_fold 1-9), LUDB, CPSC2018 and the Challenge's databases, in their home layouts. All of it
trains, so no recording is left to test these very weights: what the card states is what the same recipe reached in the
study (docs/study.md), out of fold and on databases left out. More than an hour on one core, for four networks; killed,
it goes on where it was. Result on 2026-11-23: the tables of docs/model-card.md.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import results
from pairs import tested

from twelvelead.classifier.writing import add_test
from twelvelead.databases import LabelledRecord, find, read_keys
from twelvelead.doors.unfinished import left_of
from twelvelead.scoring.evaluation import evaluation
from twelvelead.study.contestants import BEST, contestants

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "src/twelvelead/classifier/shipped"
FRESH = ROOT / "build/shipped"


def study_results(records: tuple[LabelledRecord, ...]) -> dict[str, dict[str, object]]:
    """What a card holds of the study: the taught network's scores out of fold and on databases left out."""
    scored = {}
    for title, left_out in results.TESTS.items():
        pooled = tested(results.SHIPPED, records, left_out=left_out)
        parts = {title: np.full(len(pooled.keys), True)}
        for part, name in ({} if left_out else results.PARTS).items():
            listed = read_keys(ROOT / "experiments" / name)
            parts[part] = np.array([key in listed for key in pooled.keys])
        for part, rows in parts.items():
            databases = [str(name) for name in pooled.databases[rows]]
            scored[part] = evaluation(pooled.only(rows), {"databases": databases})
    return scored


def main() -> None:
    """Train unless there is a fresh bundle already, enter the study's results, ship."""
    data = sys.argv[1]
    if not FRESH.exists():
        resume = ["--resume"] if left_of(FRESH) else []
        [taught] = contestants([results.SHIPPED])
        command = ["train", data, "--out", FRESH, "--network", BEST, "--name", f"twelvelead-{BEST}"]
        command += ["--teachers", ",".join(taught.teachers), *resume]
        subprocess.run([sys.executable, "-m", "twelvelead", *map(str, command)], check=True)
    for title, result in study_results(find([Path(data)]).records).items():
        add_test(FRESH, title, result)
    shutil.rmtree(SHIPPED, ignore_errors=True)
    shutil.copytree(FRESH, SHIPPED)
    results.main()


if __name__ == "__main__":
    main()

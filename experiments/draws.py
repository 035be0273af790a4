"""The study's two draws: what each network scored in both, and the mean of both paired differences.

    python experiments/draws.py DATA single-taught xresnet1d101 resnet1d-wang single

Prints the scores of every network by itself, then what the first named has more than each of the others: in either
draw, and in the mean of both with a 95 % interval, the same patients in every resample of both.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pairs import tested

from twelvelead.databases import find
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.scoring.scores import ClassScores, Predictions, class_scores, percentiles, resampled

DRAWS = ("study", "study-seed-1")


def main() -> None:
    """Score the committed runs of both draws."""
    data, *names = sys.argv[1:]
    records = find([Path(data)]).records
    drawn = {
        name: [told(tested(f"{draw}/{name}", records, left_out=False).predictions) for draw in DRAWS] for name in names
    }
    for name, draws in drawn.items():
        for score in draws[0]:
            print(f"{name}, {score}: {', '.join(f'{draw[score][0]:.3f}' for draw in draws)}")
    first, *others = names
    for other in others:
        for score in drawn[first][0]:
            pairs = zip(drawn[first], drawn[other], strict=True)
            differences = np.array([ours[score] - theirs[score] for ours, theirs in pairs])  # (draws, 1 + resamples)
            either = ", ".join(f"{one:+.3f}" for one in differences[:, 0])
            gain, *resamples = differences.mean(axis=0)
            low, high = percentiles(np.array(resamples)[:, None])[:, 0]
            print(f"{first} minus {other}, {score}: {either}; mean {gain:+.3f} ({low:+.3f} to {high:+.3f})")


def told(predictions: Predictions) -> dict[str, NDArray[np.float64]]:
    """(1 + resamples,) of each score: of all recordings, then of each resample of their patients."""
    once = {name: values[None] for name, values in class_scores(predictions).items()}
    whole, parts = over_classes(once), over_classes(resampled(predictions))
    return {name: np.concatenate([whole[name], parts[name]]) for name in whole}


def over_classes(of_classes: ClassScores) -> dict[str, NDArray[np.float64]]:
    """(n,) of (n, 9): the study's two scores, and AUROC without STE; NaN where a class has no positive."""
    common = [k for k, name in enumerate(DIAGNOSES) if name != "STE"]
    return {
        "AUROC": of_classes["auroc"].mean(axis=1),
        "AUROC of all but STE": of_classes["auroc"][:, common].mean(axis=1),
        "sqrt(F2 x G2)": np.sqrt(of_classes["f2"].mean(axis=1) * of_classes["g2"].mean(axis=1)),
    }


if __name__ == "__main__":
    main()

"""The peers' whole cycle, and its last weights, as the benchmark has it; the study keeps those of the lowest loss.

    python experiments/last_weights.py DATA xresnet1d101 [resnet1d-wang ...]

Same folds, recipe and 30 epochs as experiments/study, without early stopping. Writes experiments/study-last/runs, which
`pairs.py` compares; two folds at a time, each on one thread; a fold that is there is not run again, one that was killed
goes on. Some 75 minutes a fold on a processor without bfloat16. Expected: better than stopped early. Result on
2026-11-29: AUROC .917 and sqrt(F2 x G2) .574, stopped early .921 and .577 (docs/study.md; fold 3 on two threads).
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import torch
from safetensors.torch import load_file

from twelvelead.databases import find
from twelvelead.learning.fit import Fitted, fingerprint, fit, window_logits
from twelvelead.learning.samples import load
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import contestants
from twelvelead.study.folds import folds
from twelvelead.study.run import Protocol, outcome_of, save_outcome, sides_of

OUT = Path(__file__).parent / "study-last"
PROTOCOL = Protocol(recipe=Recipe(), epochs=30, patience=30, seed=0, n_folds=3)


def main() -> None:
    """Every network named on every fold."""
    data, *names = sys.argv[1:]
    (OUT / "runs").mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(one, data, name, number) for name, number in product(names, range(PROTOCOL.n_folds))]:
            print(done.result(), flush=True)


def one(data: str, name: str, number: int) -> str:
    """One network on one fold, to the end of its cycle."""
    torch.set_num_threads(1)
    [contestant] = contestants([name])
    samples, _ = load(find([Path(data)]).records, PROTOCOL.recipe)
    fold = folds(samples, PROTOCOL.n_folds, PROTOCOL.seed)[number]
    path = OUT / "runs" / f"{name}.{fold.name}.json"
    if path.exists():
        return f"{path.name}: there"
    sides, state, begun = sides_of(fold, samples, PROTOCOL), path.with_suffix(".state"), time.monotonic()
    settings = contestant.within(epochs=PROTOCOL.epochs, patience=PROTOCOL.patience, seed=PROTOCOL.seed)
    mark = fingerprint(contestant.definition, PROTOCOL.recipe, settings, sides.training, sides.validation)
    fitted = fit(
        contestant.build,
        sides.training,
        sides.validation,
        PROTOCOL.recipe,
        settings,
        state_path=state,
        fingerprint=mark,
        resume=state.exists(),
    )
    last = {name.removeprefix("network."): value for name, value in load_file(state).items() if "network." in name[:8]}
    fitted.network.load_state_dict(last)
    logits = window_logits(fitted.network, sides.validation, PROTOCOL.recipe)
    ended: Fitted[torch.nn.Module] = replace(fitted, best_epoch=fitted.epochs - 1, validation_logits=logits)
    outcome = outcome_of(contestant, fold, mark, ended, sides, PROTOCOL.recipe, time.monotonic() - begun)
    save_outcome(outcome, path)
    state.unlink()
    return f"{path.name}: best epoch {fitted.best_epoch + 1}, last loss {outcome.validation_scores['loss']}"


if __name__ == "__main__":
    main()

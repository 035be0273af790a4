"""Runs in processes of their own, several at once; each takes the next run that nobody has begun."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Sequence
from multiprocessing.queues import Queue
from pathlib import Path
from queue import Empty
from typing import Final, NamedTuple

import torch

from twelvelead.databases import LabelledRecord
from twelvelead.databases.stored import is_stored
from twelvelead.learning.fit import Progress
from twelvelead.learning.samples import Samples, gathered
from twelvelead.learning.store import Sample, stored_sample
from twelvelead.record import TwelveleadError
from twelvelead.signals.recipe import Recipe
from twelvelead.study.contestants import contestants
from twelvelead.study.folds import Fold
from twelvelead.study.run import Protocol, StudyError, run

PATIENCE_S: Final = 1.0


class Task(NamedTuple):
    """A run to be done; see `run`."""

    network: str
    fold: Fold
    for_teaching: bool


class Told(NamedTuple):
    """What a worker says of a run: how it goes, that it has ended (neither), or the error that ended it."""

    network: str
    fold: str
    progress: Progress | None = None
    error: str | None = None


def run_all(
    todo: Sequence[Task],
    samples: Samples,
    protocol: Protocol,
    folder: Path,
    *,
    n_workers: int,
    hear: Callable[[Told], None],
) -> None:
    """Bring every run to its outcome in `folder`; raises StudyError when a worker cannot."""
    given = to_hand_over(samples)
    spawn = multiprocessing.get_context("spawn")
    tasks, told = spawn.Queue(), spawn.Queue()
    for task in (*todo, *[None] * n_workers):
        tasks.put(task)
    workers = [
        spawn.Process(target=_work, args=(tasks, told, given, protocol, folder, os.getpid()), daemon=True)
        for _ in range(min(n_workers, len(todo)))
    ]
    for worker in workers:
        worker.start()
    left = len(todo)
    try:
        while left:
            alive = any(worker.is_alive() for worker in workers)  # asked first: the last words of the dead are heard
            try:
                message = told.get(timeout=PATIENCE_S)
            except Empty:
                if not alive:
                    raise StudyError("every worker has died (out of memory?): the same command goes on") from None
                continue
            if message.error is not None:
                raise StudyError(f"{message.network}, fold {message.fold}: {message.error}")
            hear(message)
            left -= message.progress is None
    finally:
        for worker in workers:
            worker.terminate()
            worker.join()


def to_hand_over(samples: Samples) -> list[tuple[LabelledRecord, Sample | None]]:
    """Recordings with their samples, but for those that lie in a store: workers open it, and share it."""
    pairs = zip(samples.records, samples.samples, strict=True)
    return [(record, None if is_stored(record) else sample) for record, sample in pairs]


def taken_over(given: Sequence[tuple[LabelledRecord, Sample | None]], recipe: Recipe) -> Samples:
    """What was handed over, whole again."""
    return gathered((record, sample or stored_sample(record, recipe)) for record, sample in given)


def _work(
    tasks: "Queue[Task | None]",
    told: "Queue[Told]",
    given: Sequence[tuple[LabelledRecord, Sample | None]],
    protocol: Protocol,
    folder: Path,
    parent: int,
) -> None:
    """The life of a worker: one thread, deaf to Ctrl-C (its parent ends it), ended when its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
    samples = taken_over(given, protocol.recipe)
    while (task := tasks.get()) is not None:
        network, fold, for_teaching = task

        def tell(progress: Progress, network: str = network, fold: Fold = fold) -> None:
            if os.getppid() != parent:
                os._exit(1)
            told.put(Told(network, fold.name, progress))

        try:
            [contestant] = contestants([network])
            run(contestant, fold, samples, protocol, folder, tell, for_teaching=for_teaching)
        except TwelveleadError as error:
            told.put(Told(network, fold.name, error=str(error)))
            return
        except Exception as error:  # a defect, or no memory: told as what it is
            told.put(Told(network, fold.name, error=repr(error)))
            return
        told.put(Told(network, fold.name))

"""Windows of several requests go through the network together; nobody waits for a batch to fill."""

import asyncio
from itertools import groupby
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from twelvelead.classifier.bundle import BATCH_WINDOWS, Answer, Classifier

PIECE_WINDOWS: Final = BATCH_WINDOWS // 2


class Job(NamedTuple):
    """Windows (n, 12, samples) and the future of their logits (n, 9) and attention (n, 9, steps)."""

    windows: NDArray[np.float32]
    answer: asyncio.Future[Answer]


Jobs = asyncio.Queue[Job]


async def ask(jobs: Jobs, windows: NDArray[np.float32]) -> Answer:
    """(n, 12, samples) -> (n, 9) logits and (n, 9, steps) attention; long recordings let others in between."""
    answers = []
    for start in range(0, len(windows), PIECE_WINDOWS):
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        jobs.put_nowait(Job(windows[start : start + PIECE_WINDOWS], answer))
        answers.append(await answer)
    logits, attention = zip(*answers, strict=True)
    return np.concatenate(logits), np.concatenate(attention)


async def answer_jobs(jobs: Jobs, classifier: Classifier) -> None:
    """Run whatever waits, up to a batch, for ever: while one batch runs, the next gathers."""
    while True:
        batch = [await jobs.get()]
        while not jobs.empty() and sum(len(job.windows) for job in batch) + PIECE_WINDOWS <= BATCH_WINDOWS:
            batch.append(jobs.get_nowait())
        for _, together in groupby(sorted(batch, key=_n_samples), key=_n_samples):
            await _answer(list(together), classifier)


async def _answer(jobs: list[Job], classifier: Classifier) -> None:
    """Run windows of one length at once; whoever waits has an answer, or the error."""
    try:
        logits, attention = await asyncio.to_thread(classifier.run, np.concatenate([job.windows for job in jobs]))
    except Exception as error:  # onnxruntime raises many kinds; each request must hear of it
        for job in jobs:
            if not job.answer.done():
                job.answer.set_exception(error)
        return
    ends = np.cumsum([len(job.windows) for job in jobs])[:-1]
    for job, *answer in zip(jobs, np.split(logits, ends), np.split(attention, ends), strict=True):
        if not job.answer.done():
            job.answer.set_result((answer[0], answer[1]))


def _n_samples(job: Job) -> int:
    """Of a window: those of recordings shorter than the usual window are as short."""
    return int(job.windows.shape[-1])

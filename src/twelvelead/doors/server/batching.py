"""Windows of several requests go through the network together; nobody waits for a batch to fill."""

import asyncio
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
        try:
            logits, attention = await asyncio.to_thread(classifier.run, np.concatenate([job.windows for job in batch]))
        except Exception as error:  # onnxruntime raises many kinds; each request must hear of it
            for job in batch:
                if not job.answer.done():
                    job.answer.set_exception(error)
            continue
        ends = np.cumsum([len(job.windows) for job in batch])[:-1]
        for job, *answer in zip(batch, np.split(logits, ends), np.split(attention, ends), strict=True):
            if not job.answer.done():
                job.answer.set_result((answer[0], answer[1]))

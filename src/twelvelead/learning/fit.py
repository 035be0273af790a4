"""The training loop: a loop in a function, resumable after every epoch to the same result."""

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from twelvelead.learning.samples import Augmentation, Samples, batches, n_batches
from twelvelead.learning.state import Run, load_state, save_state
from twelvelead.learning.together import ALONE, Team, join, said_by_first, sum_gradients
from twelvelead.record import TwelveleadError
from twelvelead.scoring.probabilities import merge, sigmoid
from twelvelead.scoring.scores import Predictions, class_scores, means
from twelvelead.signals.recipe import Recipe

Schedule = Literal["cosine", "one-cycle", "constant"]
BETAS: Final = (0.9, 0.999)
TAUGHT: Final = 0.7
TAUGHT_LONGER: Final = 2  # times the epochs: it still learns where one without teachers begins to learn by heart
VALIDATED: Final = ("loss", "auroc", "auprc")
WINDOWS_TOGETHER: Final = 32  # heard at once where nothing is learned
Network = TypeVar("Network", bound=nn.Module)


class FitError(TwelveleadError):
    """A network cannot be trained so."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a network is trained. patience: epochs without a better validation loss after which it stops.

    schedule: of the learning rate. `cosine` rises in a straight line over the share `warm_up` of the steps and falls
    as half a cosine; `one-cycle` rises and falls as cosines while the first moment's decay goes .95, .85, .95 (Smith
    and Topin 2018, as fastai does it); `constant` stays. largest_gradient: the norm to which one is clipped.
    mixed_precision: the network's products in bfloat16 where the machine is made for it, the rest in float32.
    """

    epochs: int = 30
    patience: int = 15
    batch_size: int = 32
    learning_rate: float = 1e-2
    weight_decay: float = 1e-2
    schedule: Schedule = "one-cycle"
    warm_up: float = 0.3
    largest_gradient: float = 5.0
    seed: int = 0
    mixed_precision: bool = False
    augmentation: Augmentation = field(default_factory=Augmentation)


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Where training is: `step` of `n_steps` in `epoch` (from 0) of `n_epochs`; scores once the epoch has ended."""

    epoch: int
    n_epochs: int
    step: int
    n_steps: int
    loss: float
    validation: dict[str, float] | None = None


@dataclass(frozen=True, eq=False)
class Fitted(Generic[Network]):
    """The network with its best weights, the epochs run, and (windows, 9) logits of each validation recording."""

    network: Network
    epochs: int
    best_epoch: int
    validation_logits: list[NDArray[np.float32]]


def fit(
    build: Callable[[], Network],
    training: Samples,
    validation: Samples,
    recipe: Recipe,
    settings: Settings,
    *,
    state_path: Path,
    fingerprint: str = "",
    resume: bool = False,
    teachers: Sequence[nn.Module] = (),
    together: Team = ALONE,
    tell: Callable[[Progress], None] = lambda _: None,
) -> Fitted[Network]:
    """Train until the validation loss has not fallen for `patience` epochs; keep the weights of its lowest.

    build: makes the network; it is called once, on a seeded generator. A GPU is used where there is one.
    state_path: where the run writes its state after each epoch, from which `resume` goes on to the same result.
    teachers: trained networks; the target is then `TAUGHT` parts what they say of the same window, augmented and mixed,
    and the rest the truth (Hinton, Vinyals and Dean 2015; Beyer et al. 2022).
    together: the processes of torchrun that train this network, each called with the same arguments.
    fingerprint: stands for all that a resumed run must have in common with the one that was stopped.
    Raises FitError when the loss is no number.
    """
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    network = build().to(device)
    whole = join(network, together)
    optimiser = torch.optim.AdamW(
        network.parameters(), settings.learning_rate, BETAS, weight_decay=settings.weight_decay, fused=True
    )
    run = Run(
        network=network,
        optimiser=optimiser,
        best={},
        fingerprint=fingerprint,
    )
    if resume:
        load_state(run, state_path)
    n_steps = n_batches(len(training), settings.batch_size)
    at = partial(Progress, n_epochs=settings.epochs, n_steps=n_steps)
    while run.epoch < settings.epochs and run.epoch - run.best_epoch <= settings.patience:
        torch.manual_seed(settings.seed * 100_003 + run.epoch)  # dropout; with it an epoch depends on its number alone
        random = np.random.default_rng([settings.seed, run.epoch])
        network.train()
        drawn = batches(training, recipe, settings.augmentation, settings.batch_size, random, together)
        for step, batch in enumerate(drawn):
            whole.n = batch.n
            optimiser.param_groups[0] |= at_step(run.epoch * n_steps + step, settings.epochs * n_steps, settings)
            signal, target = (torch.from_numpy(array).to(device) for array in (batch.windows, batch.truth))
            if teachers:
                target = (1 - TAUGHT) * target + TAUGHT * taught(teachers, signal)
            with products(device, mixed=settings.mixed_precision):
                logits = network(signal)[0]
            losses = binary_cross_entropy_with_logits(logits.float(), target, reduction="none")
            loss = losses.mean(dim=1).sum() / whole.n
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            sum_gradients(network, together)
            nn.utils.clip_grad_norm_(network.parameters(), settings.largest_gradient)
            optimiser.step()
            shown = loss.item() * together.size  # of this process's part
            if not np.isfinite(shown):
                raise FitError(
                    f"epoch {run.epoch + 1}, step {step + 1}: the loss is {shown}, so the training has diverged; "
                    f"begin with another --seed, or look for recordings that are no ECG"
                )
            tell(at(epoch=run.epoch, step=step + 1, loss=shown))
        scores = said_by_first(
            lambda: validation_scores(window_logits(network, validation, recipe), validation), VALIDATED, together
        )
        if scores["loss"] < run.best_loss:
            run.best_loss, run.best_epoch = scores["loss"], run.epoch
            run.best = {name: value.clone() for name, value in network.state_dict().items()}
        run.epoch += 1
        if together.rank == 0:
            save_state(run, state_path)
        tell(at(epoch=run.epoch - 1, step=n_steps, loss=shown, validation=scores))
    network.load_state_dict(run.best)
    return Fitted(network, run.epoch, run.best_epoch, window_logits(network, validation, recipe))


def taught(teachers: Sequence[nn.Module], signal: Tensor) -> Tensor:
    """(batch, 9): the mean of the probabilities that the teachers give, in mixed precision."""
    with torch.no_grad(), products(signal.device, mixed=True):
        chances = [teacher.to(signal.device).eval()(signal)[0].float().sigmoid() for teacher in teachers]
    return torch.stack(chances).mean(dim=0)


def products(device: torch.device, *, mixed: bool) -> torch.autocast:
    """Where convolutions and products are taken in bfloat16, if `mixed`: on a GPU or a processor that multiplies it."""
    processor: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    able = device.type == "cuda" or processor.get("amx_bf16") or processor.get("avx512_bf16")
    return torch.autocast(device.type, torch.bfloat16, enabled=mixed and bool(able))


def at_step(step: int, n_steps: int, settings: Settings) -> dict[str, Any]:
    """The learning rate (`lr`) and the decays of both moments (`betas`) of a step."""
    if settings.schedule == "constant":
        return {"lr": settings.learning_rate, "betas": BETAS}
    top = max(1, round(settings.warm_up * n_steps))
    fallen = 0.5 - 0.5 * float(np.cos(np.pi * max(0, step - top) / max(1, n_steps - top)))  # 0 to 1 after the top
    if settings.schedule == "cosine":
        return {"lr": settings.learning_rate * min(1, (step + 1) / top) * (1 - fallen), "betas": BETAS}
    risen = 0.5 - 0.5 * float(np.cos(np.pi * min(1, step / top)))
    height = (0.04 + 0.96 * risen) * (1 - fallen)  # fastai begins at a twenty-fifth
    return {"lr": settings.learning_rate * height, "betas": (0.95 - 0.1 * risen * (1 - fallen), 0.99)}


def window_logits(network: nn.Module, samples: Samples, recipe: Recipe) -> list[NDArray[np.float32]]:
    """For each recording (n_windows, 9) logits, its windows cut as when it is classified."""
    network.eval()
    found: dict[int, NDArray[np.float32]] = {}
    with torch.inference_mode():
        for numbers, windows in _together(samples, recipe):
            ends = np.cumsum([len(own) for own in windows])[:-1]
            found |= zip(numbers, np.split(_logits(network, np.concatenate(windows)), ends), strict=True)
    return [found[number] for number in range(len(samples))]


def _together(samples: Samples, recipe: Recipe) -> Iterator[tuple[list[int], list[NDArray[np.float32]]]]:
    """Recordings by their numbers, and the windows of each: so many as make a batch, all of one length."""
    waiting: dict[int, tuple[list[int], list[NDArray[np.float32]]]] = {}
    for number, sample in enumerate(samples.samples):
        windows = recipe.windows(sample.signal)
        numbers, those = waiting.setdefault(windows.shape[-1], ([], []))
        numbers.append(number)
        those.append(windows)
        if sum(map(len, those)) >= WINDOWS_TOGETHER:
            yield waiting.pop(windows.shape[-1])
    yield from waiting.values()


def _logits(network: nn.Module, windows: NDArray[np.float32]) -> NDArray[np.float32]:
    device = next(network.parameters()).device
    logits: Tensor = network(torch.from_numpy(windows).to(device))[0]
    return logits.cpu().numpy()


def validation_scores(logits: Sequence[NDArray[np.floating]], validation: Samples) -> dict[str, float]:
    """The cross-entropy of the merged probabilities, and the macro AUROC and AUPRC over all recordings."""
    chances = np.stack([merge(sigmoid(windows)) for windows in logits])
    truth = validation.truth.astype(bool)
    likelihood = np.where(truth, chances, 1 - chances)
    scores = means(class_scores(Predictions(truth, chances >= 0.5, chances, [r.key for r in validation.records])))
    loss = float(-np.log(np.maximum(likelihood, 1e-12)).mean())
    return dict(zip(VALIDATED, (loss, scores["auroc"], scores["auprc"]), strict=True))


def fingerprint(
    config: dict[str, Any], recipe: Recipe, settings: Settings, training: Samples, validation: Samples
) -> str:
    """Sixteen characters that change with anything that a user can change of a run's result, but device and threads."""
    parts = (config, asdict(recipe), asdict(settings))
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode())
    for samples in (training, validation):
        for record, sample in zip(samples.records, samples.samples, strict=True):
            digest.update(f"{record.key} {record.diagnoses} {sample.digest}".encode())
    return digest.hexdigest()[:16]

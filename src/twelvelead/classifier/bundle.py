"""The bundle: a folder of weights, ONNX graph and card, in which everything travels that is needed to use it.

Here it is opened; writing.py writes it.
"""

import csv
import hashlib
import json
import os
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, cast

import numpy as np
from numpy.typing import NDArray

from twelvelead.diagnoses import DIAGNOSES
from twelvelead.record import LEADS, TwelveleadError
from twelvelead.scoring.probabilities import SPECIFICITIES, Calibration, Specificity, by_diagnosis
from twelvelead.signals.recipe import Recipe
from twelvelead.wording import printable

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # onnxruntime 1.32 reports its use to its maker unless told not to
import onnxruntime  # it looks at the variable when it is imported

onnxruntime.disable_telemetry_events()  # for whoever imported it before

Precision = Literal["float32", "int8"]
Answer = tuple[NDArray[np.float32], NDArray[np.float32]]  # (n, 9) logits and (n, 9, steps) attention

FORMAT: Final = 1
CARD: Final = "card.json"
WEIGHTS: Final = "weights.safetensors"
GRAPH: Final = "model.onnx"
SPLIT: Final = "split.csv"
GRAPHS: Final[dict[Precision, str]] = {"float32": GRAPH, "int8": "model.int8.onnx"}
FILES: Final = (WEIGHTS, GRAPH, SPLIT)
BATCH_WINDOWS: Final = 64
KEPT_BYTES: Final = 1 << 24
LEAST_LEARNED: Final = 20
MAX_NAME: Final = 200
NO_FOLDER: Final = "/dev/null"  # in which no file can be


class BundleError(TwelveleadError):
    """A bundle is missing, damaged, or of a version that this package does not read."""


@dataclass(frozen=True, eq=False)
class Classifier:
    """A loaded bundle, ready to run on onnxruntime; `name` is its name and version, as a report shows them.

    alike: for numbers of windows and their samples, as far as asked, whether they can be answered at once with the bits
    of each alone.
    """

    folder: Path
    card: dict[str, Any]
    name: str
    recipe: Recipe
    calibration: Calibration
    thresholds: NDArray[np.float64]
    session: Any
    precision: Precision = "float32"
    specificity: Specificity | None = None
    alike: dict[tuple[int, int], bool] = field(default_factory=dict)

    def __reduce__(self) -> tuple[Any, ...]:
        """To another process it goes as its folder, and is opened and checked again; what was replaced stays so."""
        kept = {"name": self.name, "recipe": self.recipe, "thresholds": self.thresholds}
        opened = (self.folder, self.precision, self.specificity)
        return _opened_with, (opened, {**kept, "calibration": self.calibration})

    def run(self, windows: NDArray[np.float32]) -> Answer:
        """(n, 12, samples) windows -> (n, 9) logits and (n, 9, steps) attention."""
        parts = [
            self.session.run(["logits", "attention"], {"windows": windows[start : start + BATCH_WINDOWS]})
            for start in range(0, len(windows), BATCH_WINDOWS)
        ]
        logits, attention = zip(*parts, strict=True)
        return np.concatenate(logits), np.concatenate(attention)

    def run_each(self, recordings: Sequence[NDArray[np.float32]]) -> list[Answer]:
        """What `run` says of each, to the bit; 16 of one window each take three quarters of the time.

        They are asked about at once only where this processor and runtime were seen to give the same bits so.
        """
        n, shapes = len(recordings), {windows.shape for windows in recordings}
        if n == 1 or len(shapes) > 1 or len(recordings[0]) > 1 or not self._are_alike(n, recordings[0].shape[-1]):
            return [self.run(windows) for windows in recordings]
        logits, attention = self.run(np.concatenate(recordings))
        return [(logits[number : number + 1], attention[number : number + 1]) for number in range(n)]

    def _are_alike(self, n: int, n_samples: int) -> bool:
        """Whether each of n windows of one length has the same answer at once with the others as alone, to the bit.

        Seen once, on windows of chance: in which order a product adds its numbers does not depend on what they are.
        """
        if (n, n_samples) not in self.alike:
            shape = (n, len(LEADS), n_samples)
            windows = np.random.default_rng(n).standard_normal(shape, np.float32)
            alone = map(np.concatenate, zip(*(self.run(window[None]) for window in windows), strict=True))
            self.alike[n, n_samples] = all(map(np.array_equal, self.run(windows), alone))
        return self.alike[n, n_samples]

    @property
    def sha256(self) -> str:
        """Of the graph in use."""
        return str(self.card["sha256"][GRAPHS[self.precision]])

    @property
    def barely_learned(self) -> dict[str, int]:
        """The diagnoses that fewer than 20 training recordings had, and how many: one not called may well be there."""
        learned = self.card.get("training", {}).get("recordings", {}).get("positives", {})
        return {name: n for name, n in learned.items() if n < LEAST_LEARNED}

    @property
    def in_use(self) -> dict[str, Any]:
        """The card, with what it is called as it is used, the thresholds that decide and what it barely learned."""
        deciding = by_diagnosis(self.thresholds)
        return {**self.card, "called": self.name, "deciding": deciding, "barely_learned": self.barely_learned}

    @cached_property
    def seen(self) -> dict[str, str]:
        """Digests of the recordings that it was trained or validated on, by key; empty where none was written."""
        rows = csv.reader((self.folder / SPLIT).read_text(encoding="utf-8").splitlines())
        sides = [row for row in rows if row[1:2] in (["training"], ["validation"])]
        return {name: "".join(digest) for name, _, *digest in sides}

    @cached_property
    def seen_digests(self) -> frozenset[str]:
        """Of the samples that it was trained or validated on."""
        return frozenset(self.seen.values()) - {""}


def _opened_with(opened: tuple[Path, Precision, Specificity | None], kept: dict[str, Any]) -> Classifier:
    return replace(load_bundle(*opened), **kept)


def shipped_bundle() -> Path:
    """The folder of the bundle that comes with the package."""
    return Path(__file__).parent / "shipped"


def load_bundle(
    folder: Path | str, precision: Precision = "float32", specificity: Specificity | float | None = None
) -> Classifier:
    """Open a bundle after holding its version, its card's seal and every file's checksum against its card.

    precision: of the network's numbers; a bundle need not have any but float32.
    specificity: which of the card's thresholds decide, "0.95" or .95; None for those that serve the Challenge's scores.
    Raises BundleError with what was found and the way out.
    """
    _keep_freed_memory()
    folder = Path(folder)
    card = read_card(folder)
    at = None if specificity is None else _written(specificity)
    if GRAPHS.get(precision) not in card["sha256"]:
        there = ", ".join(name for name, graph in GRAPHS.items() if graph in card["sha256"])
        raise BundleError(f"bundle {folder} has no graph in {precision}: it has {there}; {_way_out(precision, GRAPHS)}")
    for name in dict.fromkeys((*FILES, GRAPHS[precision])):
        _refuse_changed(folder, name, card["sha256"].get(name))
    try:
        deciding = _thresholds(folder, card, at)
        thresholds = np.array([float(deciding[name]) for name in DIAGNOSES])
        if not ((thresholds >= 0) & (thresholds <= 1)).all():
            raise ValueError(f"thresholds {thresholds.tolist()}: they must lie between 0 and 1")
        recipe = Recipe(**card["recipe"])
        return Classifier(
            folder=folder.absolute(),
            card=card,
            name=_name(card, precision, at),
            recipe=recipe,
            calibration=Calibration.from_json(card["calibration"]),
            thresholds=thresholds,
            session=_checked_session((folder / GRAPHS[precision]).read_bytes(), recipe),
            precision=precision,
            specificity=at,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleError(f"bundle {folder} is damaged ({error!r}); copy the bundle anew") from error


def _thresholds(folder: Path, card: Mapping[str, Any], specificity: Specificity | None) -> Mapping[str, Any]:
    if specificity is None:
        return dict(card["thresholds"])
    at = card.get("thresholds_at_specificity", {})
    if specificity not in at:
        there = ", ".join(at) or "none"
        raise BundleError(
            f"bundle {folder} has no thresholds at a specificity of {specificity}: it has {there}; "
            f"{_way_out(specificity, SPECIFICITIES)}"
        )
    return dict(at[specificity])


def _written(specificity: str | float) -> Specificity:
    """As a card writes it."""
    return cast(Specificity, specificity if isinstance(specificity, str) else f"{specificity:g}")


def _way_out(asked: str, known: Container[str]) -> str:
    return "train it anew" if asked in known else "choose one of these"


def _name(card: Mapping[str, Any], precision: Precision, specificity: Specificity | None) -> str:
    """As reports show it: a decision is not only of a network; without what a terminal would obey."""
    parts = [card["name"], card["version"]]
    parts += ["int8"] if precision == "int8" else []
    parts += [f"at specificity {specificity}"] if specificity else []
    return printable(" ".join(map(str, parts)))[:MAX_NAME]


def _keep_freed_memory() -> None:
    """Have glibc keep what is freed: else each recording's arrays are mapped anew, page by page (7 % of the time).

    It keeps what is no larger than the largest that was ever freed (mallopt(3), "dynamic mmap threshold").
    """
    np.empty(KEPT_BYTES, np.uint8)


def read_card(folder: Path) -> dict[str, Any]:
    """What a bundle's card says; raises BundleError where it is none, of another version, or not what its seal says."""
    try:
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"no bundle in {folder}: it must be a folder with {CARD}, {', '.join(FILES)}") from error
    except (ValueError, RecursionError) as error:
        raise BundleError(f"bundle {folder}: {CARD} is no JSON ({error}); copy the bundle anew") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT:
        found = card.get("format") if isinstance(card, dict) else type(card).__name__
        raise BundleError(f"bundle {folder} has format {found!r}: this version reads format {FORMAT}; train it anew")
    if not isinstance(card.get("sha256"), dict) or card.get("diagnoses") != [*DIAGNOSES]:
        raise BundleError(f"bundle {folder}: its card lacks checksums or names other diagnoses; copy the bundle anew")
    if card["sha256"].get(CARD) != seal(card):
        raise BundleError(f"bundle {folder}: {CARD} is not what its seal was made of: it was changed; copy it anew")
    return card


def seal(card: Mapping[str, Any]) -> str:
    """sha256 of all that a card says, its own seal apart."""
    sealed = {**card, "sha256": {name: digest for name, digest in card["sha256"].items() if name != CARD}}
    return hashlib.sha256(json.dumps(sealed, sort_keys=True).encode()).hexdigest()


def _refuse_changed(folder: Path, name: str, expected: object) -> None:
    try:
        found = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    except OSError as error:
        raise BundleError(f"bundle {folder}: {name} cannot be read ({error.strerror}); copy it anew") from error
    if found != expected:
        raise BundleError(
            f"bundle {folder}: {name} has sha256 {found[:12]}…, its card says {str(expected)[:12]}…: "
            f"the file was changed; copy the bundle anew"
        )


def _checked_session(graph: bytes, recipe: Recipe) -> Any:
    """A session that has answered a silent window with nine logits and their attention."""
    try:
        session = open_graph(graph)
        silence = np.zeros((1, len(LEADS), recipe.window_samples), np.float32)
        logits, attention = session.run(["logits", "attention"], {"windows": silence})
    except Exception as error:  # onnxruntime raises many kinds, without a common root
        raise ValueError(f"its graph does not run: {str(error).splitlines()[0]}") from error
    if logits.shape != (1, len(DIAGNOSES)) or attention.shape[:2] != (1, len(DIAGNOSES)):
        raise ValueError(f"its graph answers {logits.shape} and {attention.shape}")
    return session


def open_graph(graph: bytes) -> Any:
    """An onnxruntime session on one thread: recordings are handed to processes, not to threads.

    What a graph does not hold itself it does not get: a file beside it is under no checksum.
    """
    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", NO_FOLDER)
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

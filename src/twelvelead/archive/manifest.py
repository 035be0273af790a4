"""The manifest of an archive's results: from what, by which bundle and how; nothing else may go on with them."""

import contextlib
import fcntl
import hashlib
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, get_args

from twelvelead.archive.listing import LISTING, OFFSETS, ArchiveError, Listing, is_whole, listing_now, write_listing
from twelvelead.classifier.bundle import CARD, Classifier, Precision
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.formats import PassedOver
from twelvelead.formats.files import write_whole
from twelvelead.release import version
from twelvelead.scoring.probabilities import SPECIFICITIES, Specificity, by_diagnosis

FORMAT: Final = 1
MANIFEST: Final = "manifest.json"
SHARDS: Final = "shards"
LOCK: Final = ".lock"
SOFTWARE: Final = ("twelvelead", "onnxruntime", "numpy", "pyarrow")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What decides over rows, and so cannot change between a start and going on.

    shard_size: recordings a file. seconds, memory_mb: what one recording may take, read and classified. anyway: see
    `classify`. precision, specificity: see `load_bundle`.
    """

    shard_size: int = 1000
    seconds: float = 300.0
    memory_mb: int = 3072
    anyway: bool = False
    precision: Precision = "float32"
    specificity: Specificity | None = None


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What an archive's results are of; `listing` counts and seals the recordings, `bundle` seals the classifier.

    thresholds: by diagnosis, from which probability on it counts as positive.
    """

    inputs: tuple[str, ...]
    listing: Listing
    bundle: str
    bundle_name: str
    thresholds: dict[str, float]
    settings: Settings
    software: dict[str, str]

    @property
    def n_shards(self) -> int:
        """Files of results."""
        return -(-self.listing.recordings // self.settings.shard_size)

    def n_in(self, shard: int) -> int:
        """Recordings of one shard."""
        return min(self.settings.shard_size, self.listing.recordings - shard * self.settings.shard_size)

    def tag(self, shard: int) -> str:
        """What a file of results bears, so that no other is taken for it."""
        seal = hashlib.sha256(json.dumps(_as_json(self), sort_keys=True).encode()).hexdigest()
        return f"{seal} {shard}"


def shard_path(out: Path, shard: int) -> Path:
    """Where the results of a shard lie."""
    return out / SHARDS / f"{shard:08d}.parquet"


def shards_there(out: Path, manifest: Manifest) -> tuple[list[int], list[str]]:
    """The shards that have a file of results, sound or not; and the names of what else readers would take for one.

    They pass over what begins with a dot or a low line. Raises OSError where the folder cannot be read.
    """
    shards, foreign = [], []
    try:
        names = [path.name for path in (out / SHARDS).iterdir() if not path.name.startswith((".", "_"))]
    except FileNotFoundError:
        names = []
    for name in sorted(names):
        shard = int(number) if (number := name.removesuffix(".parquet")).isdecimal() else manifest.n_shards
        if shard < manifest.n_shards and name == shard_path(out, shard).name:
            shards.append(shard)
        else:
            foreign.append(name)
    return sorted(shards), foreign


def software_here() -> dict[str, str]:
    """Versions of what could change a row."""
    return {name: version(name) for name in SOFTWARE}


def seal_of(classifier: Classifier) -> str:
    """sha256 of all that a card says but its tests, which `evaluate` adds to; the card holds that of each file."""
    card = {name: value for name, value in classifier.card.items() if name not in ("tests", "sha256")}
    card["sha256"] = {name: digest for name, digest in classifier.card["sha256"].items() if name != CARD}
    return hashlib.sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()


def begin(
    inputs: Iterable[Path],
    out: Path,
    classifier: Classifier,
    settings: Settings,
    passed_over: PassedOver | None = None,
) -> Manifest:
    """The manifest in `out`: written now, or found there and the same as would be written.

    passed_over: counts what is in the inputs' folders and is no recording.

    Raises ArchiveError where `out` holds anything else, or results of another input, bundle, settings or software.
    """
    paths = list(inputs)
    if (out / MANIFEST).exists():
        found = read_manifest(out)
        _refuse_other(out, found, _manifest(paths, listing_now(paths, out, passed_over), classifier, settings))
        if (
            not is_whole(out, found.listing, settings.shard_size)
            and write_listing(paths, out, settings.shard_size) != found.listing
        ):
            raise ArchiveError("the recordings change while they are listed: start again once they stay as they are")
        return found
    (out / SHARDS).mkdir(exist_ok=True)
    listing = write_listing(paths, out, settings.shard_size, passed_over)
    manifest = _manifest(paths, listing, classifier, settings)
    if not manifest.listing.recordings:
        raise ArchiveError(f"no recordings in {', '.join(manifest.inputs)}: name folders or archives that hold some")
    write_whole(out / MANIFEST, json.dumps(_as_json(manifest), indent=2).encode() + b"\n", for_good=True)
    return manifest


def _manifest(inputs: list[Path], listing: Listing, classifier: Classifier, settings: Settings) -> Manifest:
    return Manifest(
        inputs=tuple(map(str, inputs)),
        listing=listing,
        bundle=seal_of(classifier),
        bundle_name=classifier.name,
        thresholds=by_diagnosis(classifier.thresholds),
        settings=settings,
        software=software_here(),
    )


def read_manifest(out: Path) -> Manifest:
    """The manifest of a folder of results; raises ArchiveError where there is none."""
    try:
        facts: dict[str, Any] = json.loads((out / MANIFEST).read_bytes())
        if facts.pop("format") != FORMAT:
            raise ValueError("another format")
        facts |= {"settings": Settings(**facts["settings"]), "listing": Listing(**facts["listing"])}
        manifest = Manifest(**{**facts, "inputs": tuple(facts["inputs"])})
        _refuse_impossible(manifest)
        return manifest
    except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise ArchiveError(
            f"no results of an archive in {out}: {MANIFEST} missing or damaged ({error}): name the --out of `archive`"
        ) from error


def _refuse_impossible(manifest: Manifest) -> None:
    """Raise ValueError on what no run writes."""
    settings, listing = manifest.settings, manifest.listing
    texts = (*manifest.inputs, manifest.bundle, manifest.bundle_name, listing.sha256)
    is_possible = {
        "shard_size": _is_whole(settings.shard_size) and settings.shard_size > 0,
        "seconds": _is_number(settings.seconds, math.inf),
        "memory_mb": _is_whole(settings.memory_mb),
        "anyway": isinstance(settings.anyway, bool),
        "precision": settings.precision in get_args(Precision),
        "specificity": settings.specificity in (None, *SPECIFICITIES),
        "listing": _is_whole(listing.size) and _is_whole(listing.recordings) and listing.recordings <= listing.size,
        "thresholds": all(_is_number(manifest.thresholds[name], 1) for name in DIAGNOSES),
        "software": all(isinstance(text, str) for text in manifest.software.values()),
        "inputs or bundle": all(isinstance(text, str) for text in texts),
    }
    if wrong := [name for name, is_so in is_possible.items() if not is_so]:
        raise ValueError(f"{wrong[0]} cannot be so")


def _is_whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _is_number(value: object, most: float) -> bool:
    return type(value) in (int, float) and 0 <= value <= most  # type: ignore[operator]


def _as_json(manifest: Manifest) -> dict[str, Any]:
    return {"format": FORMAT, **asdict(manifest), "listing": manifest.listing._asdict()}


def _refuse_other(out: Path, found: Manifest, wanted: Manifest) -> None:
    """Say what differs, and how it was."""
    differences = []
    if found.listing != wanted.listing:
        n_then, n_now = found.listing.recordings, wanted.listing.recordings
        differences.append(f"the recordings are not the same ({n_then:,} then, {n_now:,} now)")
    if found.bundle != wanted.bundle:
        differences.append(f"the bundle was {found.bundle_name} ({found.bundle[:12]}…), now {wanted.bundle[:12]}…")
    now = {**asdict(wanted.settings), **wanted.software}
    for name, then in {**asdict(found.settings), **found.software}.items():
        if then != now.get(name):
            differences.append(f"{name} was {then}, now {now.get(name)}")
    if not differences:  # else they follow from the bundle, or from the specificity
        differences += [
            f"{MANIFEST} has {name} positive from {then} on, the bundle from {of_bundle}"
            for name, of_bundle in wanted.thresholds.items()
            if (then := found.thresholds[name]) != of_bundle
        ]
    if differences:
        raise ArchiveError(
            f"{out} was begun otherwise: {'; '.join(differences)}: go on as before, or name a new folder"
        )


def _refuse_foreign(out: Path) -> None:
    """Only an empty folder, or one in which a run was killed before its manifest stood, may be written to."""
    ours = {SHARDS, LOCK, LISTING, OFFSETS, f".{LISTING}.part", f".{OFFSETS}.part"}
    names = {path.name for path in out.iterdir() if not path.match(f".{MANIFEST}.*.part")}
    if foreign := sorted(names - ours):
        raise ArchiveError(f"{out} holds other things ({foreign[0]}): name a new folder, so that nothing is lost")
    there = (out / SHARDS).iterdir() if SHARDS in names else ()
    if results := sorted(path.name for path in there if not path.match(".*.part")):
        raise ArchiveError(
            f"{out / SHARDS} holds files ({results[0]}) and {out} no {MANIFEST} that says of what: "
            f"put that back to go on, or name a new folder"
        )


@contextlib.contextmanager
def alone_in(out: Path) -> Iterator[None]:
    """Hold the folder; raises ArchiveError where another run does. What the killed left half-written is removed."""
    if not out.parent.is_dir():
        raise ArchiveError(f"{out.parent} is no folder: make it, or name another --out")
    out.mkdir(exist_ok=True)
    if not (out / MANIFEST).exists():
        _refuse_foreign(out)
    with (out / LOCK).open("ab") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # EAGAIN, or EACCES as some systems have it
            raise ArchiveError(f"another run is writing to {out}: wait for it, or stop it") from None
        except OSError as error:
            raise ArchiveError(
                f"{out} lies on a file system that cannot lock files ({error.strerror}): name a folder on another"
            ) from error
        _remove_parts(out)
        yield
        _remove_parts(out)  # of workers that were killed on the way


def _remove_parts(out: Path) -> None:
    for part in (*out.glob(f".{MANIFEST}.*.part"), *(out / SHARDS).glob(".*.part")):
        part.unlink(missing_ok=True)

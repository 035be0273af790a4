"""Record -> windows: all that is left of a recording when the network is about to see it."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import LEADS, Record, RecordError
from twelvelead.signals.measures import QUALITY
from twelvelead.signals.pieces import Piece, pieces
from twelvelead.signals.quality import Finding, assess_alike
from twelvelead.signals.recipe import Recipe
from twelvelead.stream import LONG_S, Stream, stream_of


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A recording ready for the network, and what was noticed about it.

    windows: (n_windows, 12, window_samples, or all of a recording shorter than one), scaled; they begin at `starts_s`.
    by_window: of a long recording, what is wrong in each window; `quality` then sums it up. duration_s: of a long one.
    """

    name: str
    windows: NDArray[np.float32]
    starts_s: tuple[float, ...]
    quality: tuple[Finding, ...]
    warnings: tuple[str, ...]
    by_window: tuple[tuple[Finding, ...], ...] = ()
    duration_s: float = math.inf


def prepare(record: Record, recipe: Recipe) -> Prepared:
    """Filter, cut, scale and assess a recording; raises RecordError when it cannot be assessed."""
    if record.duration_s >= LONG_S:
        parts = list(prepare_stream(stream_of(record), recipe))
        return joined(record, parts, np.concatenate([part.windows for part in parts]))
    refuse_unfit(record, recipe)
    [prepared] = prepare_alike([record], recipe)
    return prepared


def prepare_alike(records: Sequence[Record], recipe: Recipe) -> list[Prepared]:
    """As `prepare`, to the bit, of fit recordings of one length below 5 minutes and one rate, in less time."""
    bands = recipe.bands_alike(records)
    windows = recipe.windows(bands.heart)  # (n, n_windows, 12, window_samples)
    starts_s = tuple(start / recipe.rate_hz for start in recipe.starts(bands.heart.shape[-1]))
    quality = assess_alike(records, bands if recipe.parts_like(QUALITY) else None)
    return [
        Prepared(name=record.name, windows=own, starts_s=starts_s, quality=findings, warnings=record.warnings)
        for record, own, findings in zip(records, windows, quality, strict=True)
    ]


def prepare_stream(stream: Stream, recipe: Recipe) -> Iterator[Piece]:
    """The same of a long recording, some windows at a time; raises RecordError, at the latest after the last."""
    refuse_unfit(stream, recipe)
    return pieces(stream, recipe)


def joined(recording: Record | Stream, parts: Sequence[Piece], windows: NDArray[np.float32]) -> Prepared:
    """A long recording of whose windows the parts told; `windows` may be none of them, where they were used already."""
    by_window = tuple(findings for part in parts for findings in part.quality)
    return Prepared(
        name=recording.name,
        windows=windows,
        starts_s=tuple(start_s for part in parts for start_s in part.starts_s),
        quality=summed(by_window),
        warnings=recording.warnings,
        by_window=by_window,
        duration_s=recording.duration_s,
    )


def refuse_unfit(recording: Record | Stream, recipe: Recipe) -> None:
    """Raise RecordError on what cannot be the network's input, or is not in millivolts."""
    if recording.unit != "mV":
        raise RecordError(
            f"signal in {recording.unit}, standardised by its publisher: classify its original in millivolts"
        )
    recipe.refuse_unfit(recording)


def summed(by_window: Sequence[tuple[Finding, ...]]) -> tuple[Finding, ...]:
    """Each kind of finding once, usable and unusable apart: every lead that had it, its worst value, and how often."""
    alike: dict[tuple[str, bool, str], list[Finding]] = {}
    for findings in by_window:
        for finding in findings:
            alike.setdefault((finding.kind, finding.unusable, finding.unit), []).append(finding)
    total = [_sum(findings) for findings in alike.values()]
    return tuple(sorted(total, key=lambda finding: (not finding.unusable, -(finding.windows or 0))))


def _sum(findings: list[Finding]) -> Finding:
    leads = {lead for finding in findings for lead in finding.leads}
    worst = max(findings, key=lambda finding: abs(finding.value - finding.limit))
    return replace(worst, leads=tuple(lead for lead in LEADS if lead in leads), windows=len(findings))

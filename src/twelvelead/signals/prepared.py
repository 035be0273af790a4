"""Record -> windows: all that is left of a recording when the network is about to see it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from twelvelead.record import Record, RecordError
from twelvelead.signals.quality import QUALITY, Finding, assess
from twelvelead.signals.recipe import Recipe


@dataclass(frozen=True, eq=False, kw_only=True)
class Prepared:
    """A recording ready for the network, and what was noticed about it.

    windows: (n_windows, 12, window_samples), scaled; a window begins at `starts_s`.
    """

    name: str
    windows: NDArray[np.float32]
    starts_s: tuple[float, ...]
    quality: tuple[Finding, ...]
    warnings: tuple[str, ...]


def prepare(record: Record, recipe: Recipe) -> Prepared:
    """Filter, cut, scale and assess a recording; raises RecordError when it cannot be assessed."""
    if record.unit != "mV":
        raise RecordError(f"signal in {record.unit}, standardised by its publisher: only millivolts are classified")
    recipe.refuse_unfit(record)
    bands = recipe.bands(record)
    signal = bands.heart  # (12, n) at the recipe's rate
    return Prepared(
        name=record.name,
        windows=recipe.windows(signal),  # (n_windows, 12, window_samples)
        starts_s=tuple(start / recipe.rate_hz for start in recipe.starts(signal)),
        quality=assess(record, bands if recipe.parts_like(QUALITY) else None),
        warnings=record.warnings,
    )

"""Options that several commands share, so that each is written and explained once."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from twelvelead.scoring import probabilities

Bundle = Annotated[
    Path | None,
    typer.Option("--bundle", help="Folder of a bundle. Default: the one shipped.", show_default=False),
]
Precision = Annotated[
    Literal["float32", "int8"],
    typer.Option("--precision", help="Numeric precision of the network; the card says what int8 costs."),
]
Specificity = Annotated[
    probabilities.Specificity | None,
    typer.Option(
        "--specificity",
        help="Decide, for each diagnosis alike, by the threshold at which this share of the validation recordings "
        "without it was not called. Default: thresholds that serve the Challenge's scores; those at 0.9 and 0.95 may "
        "be lower, and call more.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON for machines on standard output.")]
Folders = Annotated[
    list[Path],
    typer.Argument(
        help="Folders of databases in their home layouts, or of a CSV with path and labels.", show_default=False
    ),
]
FoldersOrStores = Annotated[
    list[Path],
    typer.Argument(
        help="Folders of databases in their home layouts, of a CSV with path and labels, or of `twelvelead store`.",
        show_default=False,
    ),
]
PtbXlRate = Annotated[
    Literal["100", "500"],
    typer.Option("--ptbxl-rate", help="Which form of PTB-XL to read where both are there, in Hz."),
]
PTBXL_RATES: Final[dict[str, Literal[100, 500]]] = {"100": 100, "500": 500}
Rate = Annotated[
    float | None,
    typer.Option("--rate", help="Samples per second, for CSV and NPY that do not state it.", show_default=False),
]
Unit = Annotated[
    str | None,
    typer.Option(
        "--unit",
        help="V, mV, uV or nV (NU: standardised by its publisher), for CSV and NPY that do not state it.",
        show_default=False,
    ),
]
Workers = Annotated[int, typer.Option("--workers", help="Processes that read in parallel.", min=1, max=256)]


def listed(names: str) -> list[str]:
    """The names of an option that takes several with commas between them."""
    return [name.strip() for name in names.split(",") if name.strip()]

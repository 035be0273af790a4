"""The options of a drawing, and its writing to a folder."""

import sys
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from twelvelead.drawing import Paper, lay_out, write
from twelvelead.drawing.geometry import drawn_s
from twelvelead.drawing.paper import Filter, Layout
from twelvelead.formats.files import write_whole
from twelvelead.record import Record
from twelvelead.stream import Stream

BEYOND_S: Final = 10.0  # after what is drawn, for the filter
MAX_NAME_BYTES: Final = 200
Form = Annotated[Literal["svg", "pdf", "png"], typer.Option("--paper-format", help="Form of the drawings of --paper.")]
LayoutOption = Annotated[Layout, typer.Option("--layout", help="Rows x columns; below 3x4, lead II as rhythm strip.")]
Cabrera = Annotated[bool, typer.Option("--cabrera", help="Limb leads as aVL, I, -aVR, II, aVF, III.")]
Speed = Annotated[Literal["12.5", "25", "50"], typer.Option("--speed", help="Paper speed in mm/s.")]
Gain = Annotated[Literal["5", "10", "20"], typer.Option("--gain", help="Height of a millivolt in mm, in every lead.")]
FilterOption = Annotated[Filter, typer.Option("--filter", help="Filter of the drawing; the network has its own.")]
Start = Annotated[float, typer.Option("--start", help="Second at which the drawing begins.", min=0)]
Identity = Annotated[
    bool, typer.Option("--identity", help="Write the recording's name, age and sex into drawings and reports.")
]


def write_new(folder: Path, name: str, ending: str, content: bytes) -> Path:
    """Write to a file of a recording's name, cut to what one may be called; the second of a name gets a number.

    The file is made before it is written, so that two processes never take one name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = _as_stored(name.encode()[:MAX_NAME_BYTES].decode(errors="ignore"))
    for number in count(1):
        path = folder / (f"{stem}.{ending}" if number == 1 else f"{stem}-{number}.{ending}")
        with suppress(FileExistsError):
            path.touch(exist_ok=False)
            break
    try:
        write_whole(path, content)
    except OSError:
        path.unlink()
        raise
    return path


def _as_stored(name: str) -> str:
    """The name, with _ for what the system's encoding of names cannot hold."""
    coding = sys.getfilesystemencoding()
    return name.encode(coding, errors="replace").decode(coding).replace("?", "_")


def draw_into(folder: Path, recording: Record | Stream, caption: str, paper: Paper, form: str) -> Path:
    """Draw to a new file named after the recording."""
    record = recording.beginning(drawn_s(paper) + BEYOND_S) if isinstance(recording, Stream) else recording
    page = lay_out(record, paper, caption=caption, whole_s=recording.duration_s)
    return write_new(folder, record.name, form, write(page, form))

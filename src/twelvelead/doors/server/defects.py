"""Where a defect lies: told by place, never by message, which may hold what was uploaded."""

import re
import traceback
from pathlib import Path
from typing import Final

from pebble.common.types import RemoteTraceback

import twelvelead

_FRAME: Final = re.compile(r'^ *File "([^"\n]+)", line (\d+), in ', re.MULTILINE)


def place_of(error: BaseException) -> str:
    """File and line of the deepest frame of this package, in a worker where it came from one."""
    ours = {str(path) for folder in twelvelead.__path__ for path in Path(folder).rglob("*.py")}
    here = [(frame.filename, str(frame.lineno)) for frame in traceback.extract_tb(error.__traceback__)]
    cause = error.__cause__
    there = _FRAME.findall(str(cause)) if isinstance(cause, RemoteTraceback) else []
    places = [f"{file}:{line}" for file, line in here + there if file in ours]  # a message may look like a frame
    return places[-1] if places else "a place outside twelvelead"

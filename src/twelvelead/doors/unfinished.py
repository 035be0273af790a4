"""What `train` keeps in a folder beside a bundle until the training has ended: states, and its teachers' weights."""

import shutil
from pathlib import Path


def state_path(out: Path) -> Path:
    """The state of the training itself."""
    return _folder(out) / "network.state"


def weights_path(out: Path, teacher: str) -> Path:
    """Where a teacher's weights are kept while its student learns; its own state lies beside them."""
    return _folder(out) / f"{teacher}.safetensors"


def left_of(out: Path) -> Path | None:
    """The folder, where a killed training left anything in it."""
    folder = _folder(out)
    return folder if folder.is_dir() and any(folder.iterdir()) else None


def forget(out: Path) -> None:
    """Remove it all: the bundle is there."""
    shutil.rmtree(_folder(out))


def _folder(out: Path) -> Path:
    return out.with_name(f".{out.name}.training")

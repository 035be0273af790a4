"""What `train` keeps beside a bundle until the training has ended: its state, and its teachers' states and weights."""

import glob
from pathlib import Path


def state_path(out: Path) -> Path:
    """The state of the training itself."""
    return out.with_name(f"{out.name}.state")


def weights_path(out: Path, teacher: str) -> Path:
    """Where a teacher's weights are kept while its student learns; its own state lies beside them."""
    return out.with_name(f"{out.name}.{teacher}.safetensors")


def left_beside(out: Path) -> list[Path]:
    """What there is of all this, whoever the teachers were."""
    name = glob.escape(out.name)
    patterns = (f"{name}.state", f"{name}.*.state", f"{name}.*.safetensors")
    return sorted(path for pattern in patterns for path in out.parent.glob(pattern))

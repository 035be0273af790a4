"""How many processes are worth starting."""

import os


def n_cores() -> int:
    """Cores that this process may use, where it is confined to some; else those of the machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

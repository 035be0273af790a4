"""How a process is confined before it opens what strangers wrote."""

import contextlib
import logging
import os
import warnings


def confine(memory_bytes: int) -> None:
    """From now on this process writes nothing to its standard streams and its memory is bounded.

    Libraries warn with what is in the file, and a core would hold it.
    """
    warnings.simplefilter("ignore")
    logging.disable()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    with contextlib.suppress(ImportError):
        import resource

        for limit, most in ((resource.RLIMIT_CORE, 0), (resource.RLIMIT_AS, memory_bytes)):
            with contextlib.suppress(ValueError, OSError):  # macOS bounds no address space
                resource.setrlimit(limit, (most, most))

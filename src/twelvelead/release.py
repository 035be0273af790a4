"""Which release is installed, of this package or of another."""


def version(package: str = "twelvelead") -> str:
    """As its metadata have it; they are opened when asked for, which takes a twentieth of the command line's start."""
    from importlib import metadata

    return metadata.version(package)

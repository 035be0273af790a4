"""Reads 12-lead ECGs; the project layout in README.md has the order of its rooms."""


def __getattr__(name: str) -> str:
    """`__version__`, looked up when it is asked for."""
    if name == "__version__":
        from twelvelead.release import version

        try:
            return version()
        except ModuleNotFoundError as error:  # metadata left behind by a packer
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}: {error}") from error
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

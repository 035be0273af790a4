"""What a command says of the recordings and files that it leaves out."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.console import Console

from twelvelead.databases import Found
from twelvelead.formats import PassedOver
from twelvelead.wording import counted, printable


def tell_left_out(console: Console, left_out: Iterable[tuple[Path, str]]) -> None:
    """A line for each recording and the reason; names are other people's, and may hold what a terminal obeys."""
    for path, reason in left_out:
        console.print(printable(f"left out {path}: {reason}"), markup=False, highlight=False)


def tell_found(console: Console, found: Found) -> None:
    """A line each, where there are any, on repeated files, on those that contradict, on patients of several folders."""
    if found.repeated:
        console.print(f"left out {counted(found.repeated, 'file')}: another holds the same recording, by its name")
    if found.contradicted:
        path, other = found.contradicted[0]
        n = counted(len(found.contradicted), "file")
        said = f"in {n} of them the diagnoses are others, the first {path}; those of {other} count"
        console.print(printable(said), style="red", markup=False, highlight=False)
    if found.namesakes:
        n = counted(len(found.namesakes), "patient")
        said = f"{n} of several folders, such as {found.namesakes[0]}, counted as different people: "
        console.print(printable(f"{said}name the folder above them if they are the same"), style="red", markup=False)


def doubts(found: Found) -> dict[str, list[dict[str, str]] | list[str]]:
    """For JSON: the files that contradict, each with the one that counts, and the patients of several folders."""
    return {
        "contradicted": [{"path": str(path), "counts": str(other)} for path, other in found.contradicted],
        "namesakes": [*found.namesakes],
    }


def tell_never_stated(console: Console, unstated: Mapping[str, Sequence[str]]) -> None:
    """A line for each database that never states some of the nine, which its recordings count as being without."""
    for name, diagnoses in unstated.items():
        said = f"{name} never states {', '.join(diagnoses)}: its recordings count as without"
        console.print(printable(said), markup=False, highlight=False)


def tell_passed_over(passed_over: PassedOver) -> None:
    """A line on standard error, where there are any."""
    if passed_over.n:
        _tell(str(passed_over))


def tell_foreign(names: Sequence[str]) -> None:
    """A line on standard error, where an archive's results hold files of others."""
    if names:
        _tell(
            f"shards/ holds {counted(len(names), 'file')} that this archive did not write, such as {names[0]}: "
            f"take them out, for whoever reads the folder as one table counts their rows"
        )


def _tell(sentence: str) -> None:
    Console(emoji=False, stderr=True, soft_wrap=True).print(printable(sentence), markup=False, highlight=False)

"""Where `--report` writes: one file for one recording, or a folder with a report of each."""

from pathlib import Path
from typing import Annotated, Final, Literal

import typer

from twelvelead.doors.drawing import write_new
from twelvelead.formats.files import write_whole
from twelvelead.record import TwelveleadError
from twelvelead.reports import FORMS, Reading

ReportOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        help="OUT.html, OUT.pdf, OUT.json, OUT.fhir.json or OUT.dcm for one recording; any other name is a folder.",
        show_default=False,
    ),
]
ReportFormat = Annotated[
    Literal["html", "pdf", "json", "fhir.json", "dcm"],
    typer.Option("--report-format", help="Form of the reports where --report is a folder."),
]
ENDINGS: Final = tuple(f".{form}" for form in FORMS)


class ReportError(TwelveleadError):
    """A report cannot be written where it was asked for."""


def refuse_unwritable(out: Path, n_recordings: int, form: str) -> None:
    """Raise ReportError where a report would replace a file, several would be one, or its name says another form."""
    if not out.name.lower().endswith(ENDINGS):
        if out.exists() and not out.is_dir():
            raise ReportError(f"--report {out}: it is a file; name a folder, or a new file in {', '.join(ENDINGS)}")
        return
    if out.exists():
        raise ReportError(f"--report {out}: it is there already; name another, or remove it first")
    if form != "html" and form != _form_of(out):
        raise ReportError(f"--report {out} and --report-format {form}: the name says another form; leave one away")
    if n_recordings != 1:
        raise ReportError(f"--report {out}: {n_recordings} recordings need a folder; name one, without {out.suffix}")


def report_to(out: Path, read: Reading, form: str) -> Path:
    """Write beside, then rename; in a folder, a second recording of the same name gets a number."""
    try:
        if not out.name.lower().endswith(ENDINGS):
            return write_new(out, read.record.name, form, FORMS[form](read))
        out.parent.mkdir(parents=True, exist_ok=True)
        write_whole(out, FORMS[_form_of(out)](read))
    except OSError as error:
        raise ReportError(f"--report {out}: {error.strerror}; name another place") from error
    return out


def _form_of(out: Path) -> str:
    """The form that a file's name says: the longest ending, for `x.fhir.json` is one of FHIR."""
    return max((form for form in FORMS if out.name.lower().endswith(f".{form}")), key=len)

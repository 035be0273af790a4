"""`twelvelead show`: what was read of a recording, and every warning met on the way."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from twelvelead.doors.options import Json, Rate, Unit
from twelvelead.formats import format_name, open_recording, read
from twelvelead.person import age_in_words
from twelvelead.record import LEADS, RecordError
from twelvelead.stream import Stream, extremes, stream_of
from twelvelead.wording import printable


def show_command(
    paths: Annotated[list[Path], typer.Argument(help="Recordings of any format that can be read.", show_default=False)],
    rate: Rate = None,
    unit: Unit = None,
    as_json: Json = False,
) -> None:
    """Say what is read of each recording: format, rate, length, unit, patient, leads, and every warning.

    Exit status 1 when one was refused; the others are still shown.

    Example: twelvelead show ward-7/ecg.xml
    """
    console = Console(emoji=False, soft_wrap=True)
    refused = 0
    for path in paths:
        try:
            is_stated = rate is not None or unit is not None
            recording = read(path, rate_hz=rate, unit=unit) if is_stated else open_recording(path)
            shown = {"path": str(path), "format": format_name(path), **_facts(stream_of(recording))}
        except RecordError as error:
            refused += 1
            shown = {"path": str(path), "error": str(error)}
        if as_json:
            print(json.dumps(shown), flush=True)
        else:
            console.print(_in_words(shown))
    raise typer.Exit(1 if refused else 0)


def _facts(record: Stream) -> dict[str, Any]:
    """What a recording of any length holds; lows and highs in its unit, lead by lead."""
    low, high = extremes(record)
    return {
        "record": record.name,
        "rate_hz": record.rate_hz,
        "n_samples": record.n_samples,
        "duration_s": record.duration_s,
        "unit": record.unit,
        "age": record.age,
        "sex": record.sex,
        "leads": {
            lead: {"low": round(float(lowest), 6), "high": round(float(highest), 6)}
            for lead, lowest, highest in zip(LEADS, low, high, strict=True)
        },
        "flat_leads": [lead for lead, is_flat in zip(LEADS, low == high, strict=True) if is_flat],
        "warnings": list(record.warnings),
    }


def _in_words(shown: dict[str, Any]) -> str:
    path = f"[bold]{escape(printable(shown['path']))}[/bold]"
    if "error" in shown:
        return f"{path}  [red]refused[/red]: {escape(printable(shown['error']))}\n"
    patient = ", ".join(
        part for part in (age_in_words(shown["age"]) if shown["age"] is not None else "", shown["sex"] or "") if part
    )
    ranges = ", ".join(f"{lead} {span['low']:.2f}..{span['high']:.2f}" for lead, span in shown["leads"].items())
    lines = [
        f"{path}  {escape(shown['format'])}",
        f"  record    {escape(shown['record'])}" + (f" ({patient})" if patient else ""),
        f"  length    {shown['duration_s']:.2f} s: {shown['n_samples']:,} samples at {shown['rate_hz']:g} Hz",
        f"  range     {shown['unit']}: {ranges}",
    ]
    if shown["flat_leads"]:
        lines.append(f"  flat      {', '.join(shown['flat_leads'])}")
    return "\n".join([*lines, *(f"  warning   {escape(warning)}" for warning in shown["warnings"])]) + "\n"

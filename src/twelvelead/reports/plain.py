"""A reading as JSON of our own; docs/report.md names the keys."""

import json
from typing import Any

from twelvelead.release import version
from twelvelead.reports.reading import LOOKED, Reading, bands
from twelvelead.reports.words import NOT_ASSESSED, RATE_ERROR, RESEARCH, decision, said_of


def plain(read: Reading) -> bytes:
    """The whole report, without the drawing; a name, age and sex only where identity is asked for."""
    record, told = read.record, read.report.as_json()
    who = {"name": record.name, "age": record.age, "sex": record.sex} if read.paper.identity else {}
    said = {
        "research": RESEARCH,
        "twelvelead": version(),
        "bundle": {"name": read.by.bundle, "sha256": read.by.sha256},
        "made": read.made.isoformat(),
        "recording": {**who, "duration_s": record.duration_s, "rate_hz": record.rate_hz},
        "diagnoses": {name: _diagnosis(read, name, chance) for name, chance in told["probabilities"].items()},
        **{key: value for key, value in told.items() if key in ("burden", "episodes")},
        "not_assessed": NOT_ASSESSED,
        "heart_rate": read.heart and {**read.heart.as_json(), "error": RATE_ERROR},
        "quality": told["quality"],
        "warnings": told["warnings"],
        "attention": {"meaning": LOOKED, "bands": {name: _bands(read, name) for name in read.looked_for}},
    }
    return (json.dumps(said, indent=2, ensure_ascii=False) + "\n").encode()


def _diagnosis(read: Reading, name: str, probability: float | None) -> dict[str, Any]:
    return {
        "probability": probability,
        "threshold": read.report.thresholds[name],
        "decision": decision(read.report, name),
        "in_words": said_of(read, name),
    }


def _bands(read: Reading, name: str) -> list[dict[str, float]]:
    return [{key: round(value, 3) for key, value in vars(band).items()} for band in bands(read, name)]

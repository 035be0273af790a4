"""A reading as an HL7 FHIR R5 Bundle: a DiagnosticReport, its Observations, and the software as Device.

Nothing is coded as a conclusion and everything is preliminary: nobody has confirmed it. https://hl7.org/fhir/R5
"""

import base64
import json
from html import escape
from typing import Any, Final
from uuid import uuid4

from twelvelead.diagnoses import name_in_words
from twelvelead.reports.pdf import pdf
from twelvelead.reports.reading import Reading, drawn_in_words
from twelvelead.reports.words import (
    NOT_ASSESSED,
    RATE_ERROR,
    RESEARCH,
    conclusion,
    decision,
    notes,
    rate_in_words,
    said_of,
    who,
)

SNOMED: Final = {
    "AF": "164889003",
    "I-AVB": "270492004",
    "LBBB": "164909002",
    "Normal": "164854000",
    "PAC": "284470004",
    "PVC": "427172004",
    "RBBB": "59118001",
    "STD": "429622005",
    "STE": "164931005",
}
INTERPRETATION: Final = {"positive": ("POS", "Positive"), "negative": ("NEG", "Negative")}
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"
Resource = dict[str, Any]


def fhir(read: Reading) -> bytes:
    """The whole report, with its PDF as presented form."""
    device, *observed = (f"urn:uuid:{uuid4()}" for _ in range(11))
    observations = [_probability(read, name, device) for name in read.report.probabilities]
    observations += [_heart_rate(read, device)] if read.heart else []
    entries = [(f"urn:uuid:{uuid4()}", _report(read, observed[: len(observations)])), (device, _device(read))]
    entries += zip(observed, observations, strict=False)
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "timestamp": read.made.isoformat(),
        "entry": [{"fullUrl": address, "resource": resource} for address, resource in entries],
    }
    return (json.dumps(bundle, indent=2, ensure_ascii=False) + "\n").encode()


def _report(read: Reading, observed: list[str]) -> Resource:
    identity = {"subject": {"display": who(read)}} if read.paper.identity else {}
    said = f"{conclusion(read)}. {RESEARCH}"
    remarks = [RESEARCH, f"Not assessed: {NOT_ASSESSED}.", *notes(read)]
    remarks += [drawn_in_words(read)] if drawn_in_words(read) else []
    return {
        "resourceType": "DiagnosticReport",
        "text": {
            "status": "generated",
            "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(said)}</p></div>',
        },
        "status": "partial",  # "data may be incomplete or unverified"; R5's preliminary is "verified"
        "category": [_coded(f"{TERMINOLOGY}/v2-0074", "EC", "Electrocardiac (e.g., EKG, EEC, Holter)")],
        "code": _coded("http://loinc.org", "11524-6", "EKG study"),
        **identity,
        "issued": read.made.isoformat(),
        "result": [{"reference": address} for address in observed],
        "note": [{"text": remark} for remark in remarks],
        "conclusion": said,
        "presentedForm": [
            {"contentType": "application/pdf", "data": base64.b64encode(pdf(read)).decode(), "title": read.title}
        ],
    }


def _probability(read: Reading, name: str, device: str) -> Resource:
    """One of the nine: its probability, or why there is none."""
    said = decision(read.report, name)
    if said == "withheld":
        value = _absent("error", "Error")
    else:
        value = {
            "valueQuantity": _quantity(read.report.probabilities[name], "probability", "1"),
            **_interpretation(read, name, said),
            "referenceRange": [{"text": f"positive from {read.report.thresholds[name]:.3f} on"}],
        }
    mean = "mean over the recording of the " if read.report.burden else ""
    code = _coded("http://snomed.info/sct", SNOMED[name], f"{mean}probability of {name_in_words(name)}")
    del code["coding"][0]["display"]  # SNOMED's own wording is licensed
    return _observation(code, device, value, said_of(read, name))


def _interpretation(read: Reading, name: str, said: str) -> Resource:
    """None of a diagnosis that is not called and barely learned: it is not negative."""
    if said == "negative" and name in read.by.barely_learned:
        return {}
    return {"interpretation": [_coded(f"{TERMINOLOGY}/v3-ObservationInterpretation", *INTERPRETATION[said])]}


def _heart_rate(read: Reading, device: str) -> Resource:
    """The rate; in words alone where beats may not have been seen."""
    assert read.heart is not None
    note = f"{rate_in_words(read)}; {RATE_ERROR}"
    if read.heart.gap_s:
        value = _absent("unknown", "Unknown")
    else:
        value = {"valueQuantity": _quantity(round(read.heart.mean_bpm), "beats/minute", "/min")}
    return _observation(_coded("http://loinc.org", "8867-4", "Heart rate"), device, value, note)


def _absent(code: str, display: str) -> Resource:
    return {"dataAbsentReason": _coded(f"{TERMINOLOGY}/data-absent-reason", code, display)}


def _observation(code: Resource, device: str, value: Resource, note: str) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [_coded(f"{TERMINOLOGY}/observation-category", "procedure", "Procedure")],
        "code": code,
        "device": {"reference": device},
        **value,
        "note": [{"text": note}],
    }


def _device(read: Reading) -> Resource:
    return {
        "resourceType": "Device",
        "name": [{"value": read.by.bundle, "type": "user-friendly-name"}],
        "version": [{"value": str(read.by)}],
        "note": [{"text": RESEARCH}],
    }


def _coded(system: str, code: str, display: str) -> Resource:
    return {"coding": [{"system": system, "code": code, "display": display}], "text": display}


def _quantity(value: float, unit: str, code: str) -> Resource:
    return {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": code}

"""What a person or another program is handed: HTML, PDF, JSON, FHIR and DICOM."""

from twelvelead.reports.reading import ReadBy, Reading, read_by, reading
from twelvelead.reports.write import FORMS

__all__ = ["FORMS", "ReadBy", "Reading", "read_by", "reading"]

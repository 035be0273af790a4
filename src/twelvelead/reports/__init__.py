"""What a person or another program is handed: HTML, PDF, JSON, FHIR and DICOM."""

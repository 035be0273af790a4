"""A reading as DICOM Encapsulated PDF (PS3.3, A.45.1): the PDF, for an archive that takes nothing else."""

import io

from twelvelead.person import age_in_units
from twelvelead.release import version
from twelvelead.reports.pdf import pdf
from twelvelead.reports.reading import Reading


def dicom(read: Reading) -> bytes:
    """A file of a study of its own; name and identifier of the patient are empty, for a recording holds neither."""
    from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
    from pydicom.uid import EncapsulatedPDFStorage, ExplicitVRLittleEndian, generate_uid

    document, made = pdf(read), read.made
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = EncapsulatedPDFStorage
    meta.MediaStorageSOPInstanceUID = generate_uid(prefix=None)
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file = FileDataset(None, Dataset(), file_meta=meta, preamble=bytes(128))
    file.SpecificCharacterSet = "ISO_IR 192"
    file.SOPClassUID, file.SOPInstanceUID = EncapsulatedPDFStorage, meta.MediaStorageSOPInstanceUID
    file.StudyInstanceUID, file.SeriesInstanceUID = generate_uid(prefix=None), generate_uid(prefix=None)
    file.PatientName = file.PatientID = file.PatientBirthDate = file.ReferringPhysicianName = ""
    file.PatientSex = (read.record.sex or "") if read.paper.identity else ""
    if read.paper.identity and read.record.age is not None:
        number, unit = age_in_units(read.record.age)
        file.PatientAge = f"{number:03d}{unit[0].upper()}"
    file.StudyDate = file.ContentDate = made.strftime("%Y%m%d")
    file.StudyTime = file.ContentTime = made.strftime("%H%M%S")
    file.StudyID = file.AccessionNumber = file.AcquisitionDateTime = ""
    file.TimezoneOffsetFromUTC = made.strftime("%z")
    file.Modality, file.ConversionType = "DOC", "SYN"
    file.SeriesNumber = file.InstanceNumber = 1
    file.Manufacturer, file.ManufacturerModelName = "twelvelead", read.by.bundle[:64]
    file.SoftwareVersions = version()
    file.DocumentTitle = read.title
    file.BurnedInAnnotation = "YES" if read.paper.identity else "NO"
    file.ConceptNameCodeSequence = []
    file.MIMETypeOfEncapsulatedDocument = "application/pdf"
    file.EncapsulatedDocumentLength = len(document)
    file.EncapsulatedDocument = document + bytes(len(document) % 2)
    written = io.BytesIO()
    file.save_as(written, enforce_file_format=True)
    return written.getvalue()

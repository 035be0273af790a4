"""A labelled recording -> its Record, whether it has a file of its own or is one row among many."""

from twelvelead.databases import hdf5
from twelvelead.databases.labelled import LabelledRecord
from twelvelead.databases.stored import is_stored
from twelvelead.formats import read
from twelvelead.record import Record, RecordError


def read_labelled(record: LabelledRecord) -> Record:
    """Read one recording of a database; raises RecordError on whatever is no 12-lead ECG."""
    if is_stored(record):
        raise RecordError("a store holds recordings filtered for training: name the folder it was made from")
    if record.row is not None:
        return hdf5.read_code_15(record.path, record.row)
    return hdf5.read_sph(record.path) if record.database == "sph" else read(record.path)

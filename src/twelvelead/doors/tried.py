"""What a classifier says of labelled recordings, and whether it was trained on them or on their patients."""

import csv
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress

from twelvelead.classifier import Classifier, classify_many
from twelvelead.databases import LabelledRecord, people_of, read_labelled, truth_of
from twelvelead.databases.published import PUBLISHED
from twelvelead.diagnoses import DIAGNOSES
from twelvelead.doors.progress import tracked
from twelvelead.record import Record, RecordError
from twelvelead.scoring.scores import Predictions
from twelvelead.wording import no_formula


@dataclass(frozen=True, eq=False)
class Tried:
    """What a classifier said of labelled recordings, and of which; refused: (path, reason).

    seen: whether each was trained on, with its samples or, where those may differ, by its name. n_copies: how many were
    left out, for another database has them by another name.
    """

    kept: list[LabelledRecord]
    predictions: Predictions
    seen: list[bool]
    refused: list[tuple[Path, str]]
    n_copies: int


def predict(records: Sequence[LabelledRecord], classifier: Classifier) -> Tried:
    """Classify every record, copies in another database once."""
    kept, positive, chances, seen, refused = [], [], [], [], []
    home_of: dict[str, str] = {}
    n_copies = 0
    with Progress(console=Console(emoji=False, stderr=True), disable=not sys.stderr.isatty()) as bar:
        readings = ((record, _reading(record)) for record in tracked(bar, records))
        for record, recording, answer in classify_many(readings, classifier, anyway=True):
            if isinstance(recording, RecordError) or isinstance(answer, RecordError):
                refused.append((record.path, str(answer)))
                continue
            digest = recording.digest
            if home_of.setdefault(digest, record.database) != record.database:
                n_copies += 1
                continue
            positive.append(answer.positive)
            chances.append([*answer.probabilities.values()])  # the rest of an answer is far larger
            kept.append(record)
            seen.append(_was_seen(record, digest, classifier))
    predictions = Predictions(
        truth=truth_of(kept).astype(bool),
        decisions=np.array([[name in names for name in DIAGNOSES] for names in positive], bool),
        probabilities=np.array(chances),
        people=people_of(kept),
    )
    return Tried(kept, predictions, seen, refused, n_copies)


def as_csv(tried: Tried) -> str:
    """A row for each recording: whose it is, what it has, what is said, and the nine probabilities."""
    text = StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(("recording", "patient", "labels", "positive", *DIAGNOSES))
    for record, said, chances in zip(
        tried.kept, tried.predictions.decisions, tried.predictions.probabilities.tolist(), strict=True
    ):
        positive = " ".join(name for name, yes in zip(DIAGNOSES, said, strict=True) if yes)
        names = map(no_formula, (record.key, record.patient or ""))
        table.writerow((*names, " ".join(record.diagnoses), positive, *map(repr, chances)))
    return text.getvalue()


def _was_seen(record: LabelledRecord, digest: str, classifier: Classifier) -> bool:
    """By its samples; and by its name, which a published recording has at each of its rates and in each of its forms.

    A folder of one's own may have the name of another and hold other samples.
    """
    by_name = record.key in classifier.seen and (record.database in PUBLISHED or not classifier.seen[record.key])
    return by_name or digest in classifier.seen_digests


def patients_seen(tried: Tried, there: Sequence[LabelledRecord], classifier: Classifier) -> int | None:
    """Of how many patients a recording was trained on, whether it is among those tried or only in the folders given.

    None where nobody can say: a bundle keeps no patients, and recordings of these databases that it was trained on are
    not there; or it was trained on one's own in another folder, whose names of patients are that folder's.
    """
    others = {record.key for record, was_seen in zip(tried.kept, tried.seen, strict=True) if not was_seen}
    trained_on = {record.key for record in there if record.key in classifier.seen} - others
    databases = {record.database for record in tried.kept if record.patient}
    if any(key.partition("/")[0] in databases for key in classifier.seen.keys() - trained_on):
        return None
    own_trained_on = {key.partition("/")[0] for key in classifier.seen} - PUBLISHED.keys()
    if any(own_trained_on - {database} for database in databases - PUBLISHED.keys()):
        return None
    people = {*people_of(record for record in there if record.patient and record.key in trained_on)}
    own = zip(tried.kept, tried.predictions.people, tried.seen, strict=True)
    people |= {person for record, person, was_seen in own if record.patient and was_seen}
    return len(people.intersection(tried.predictions.people))


def _reading(record: LabelledRecord) -> Record | RecordError:
    try:
        return read_labelled(record)
    except RecordError as error:
        return error

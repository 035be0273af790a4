"""What every form of a report says in words."""

from typing import Final

from twelvelead.classifier import Report
from twelvelead.diagnoses import about_normal, name_in_words, nothing_found, stated
from twelvelead.person import age_in_words
from twelvelead.reports.reading import RHYTHM, Reading
from twelvelead.wording import apart_from, counted, two_digits

MOST_EPISODES: Final = 20
RESEARCH: Final = (
    "This is research software and no medical device. "
    "Nobody may be treated, or left untreated, because of what it says."
)
NOT_ASSESSED: Final = (
    "everything but these nine: tachycardias and other rhythms, infarction, hypertrophy, pacemakers; "
    "PR, QRS and QT are not measured"
)
RATE_ERROR: Final = (
    "from R peaks; off by 0.03 a minute on average and 0.71 at most on the 200 clean recordings of LUDB, more in noise;"
    " it may lose beats of a fast rhythm with wide complexes"
)
ADULT_YEARS: Final = 18
CHILD: Final = "recorded before the age of 18: what is normal then is something else, and was not tested"


def decision(report: Report, diagnosis: str) -> str:
    """One of positive, negative and withheld."""
    if diagnosis in report.withheld:
        return "withheld"
    return "positive" if diagnosis in report.positive else "negative"


def probability(report: Report, diagnosis: str) -> str:
    """To three digits, or as many as tell it from its threshold; a dash where it is withheld."""
    if diagnosis in report.withheld:
        return "–"
    return apart_from(report.probabilities[diagnosis], report.thresholds[diagnosis], 3)


def said_of(read: Reading, diagnosis: str) -> str:
    """The decision on a diagnosis, with its threshold, in words; and whether that it is not called says anything."""
    threshold = f"{read.report.thresholds[diagnosis]:.3f}"
    n = read.by.barely_learned.get(diagnosis)
    below = f"below its threshold of {threshold}"
    return {
        "withheld": f"withheld: {read.report.withheld.get(diagnosis, '')}",
        "positive": f"positive: reaches its threshold of {threshold}",
        "negative": f"negative: {below}" if n is None else f"{below}; learned from {n} recordings: it may be there",
    }[decision(read.report, diagnosis)]


def conclusion(read: Reading) -> str:
    """What is positive and what is withheld, in a sentence each."""
    found = ", ".join(
        f"{name_in_words(name)}, probability {two_digits(read.report.probabilities[name])}"
        for name in stated(read.report.positive)
    )
    held = ", ".join(read.report.withheld)
    said = found or f"{nothing_found(len(read.report.withheld))}, which does not mean normal"
    if through := through_the_recording(read.report):
        said = f"on average over the recording {said}; through it: {', '.join(through)}"
    said += f". {sentence}" if (sentence := doubt_in_words(read)) else ""
    return said + (f". Withheld for the quality of the recording: {held}" if held else "")


def doubt(report: Report) -> str:
    """What must be said where Normal is positive, else nothing."""
    return about_normal(report.positive, report.probabilities["Normal"], is_long=bool(report.burden))


def doubt_in_words(read: Reading) -> str:
    """The same as a sentence."""
    said = doubt(read.report)
    return said[:1].upper() + said[1:]


def through_the_recording(report: Report) -> list[str]:
    """Of a long recording: the burdens, the longest episodes in order of time, and how many there are besides."""
    longest = sorted(report.episodes, key=lambda episode: episode.start_s - episode.end_s)[:MOST_EPISODES]
    further = len(report.episodes) - len(longest)
    return [
        *(f"burden of {name}: {burden}" for name, burden in report.burden.items()),
        *(f"episode: {episode}" for episode in sorted(longest, key=lambda episode: episode.start_s)),
        *([f"{counted(further, 'further episode')}, none longer: see the JSON"] if further else []),
    ]


def rate_in_words(read: Reading) -> str:
    """The heart rate, without its error."""
    if RHYTHM in read.report.withheld:
        return f"withheld: {read.report.withheld[RHYTHM]}"
    if read.heart is None:
        return "not found: fewer than two intervals between R peaks"
    said = read.heart.as_json()
    words = [
        f"{said['mean_bpm']} beats a minute on average",
        f"{said['slowest_bpm']} to {said['fastest_bpm']} from beat to beat",
        *([f"without {said['lost_s']} s in which most leads stand still"] if said["lost_s"] else []),
        *([f"{said['gap_s']} s without a beat: a pause, or one that could not be seen"] if said["gap_s"] else []),
    ]
    return ", ".join(words)


def who(read: Reading) -> str:
    """Name, age and sex, where identity is asked for; else nothing."""
    if not read.paper.identity:
        return ""
    record = read.record
    age = "age not known" if record.age is None else age_in_words(record.age)
    return f"{record.name}, {age}, sex {record.sex or 'not known'}"


def facts(read: Reading) -> list[tuple[str, str]]:
    """What was read and by what, as (name, value)."""
    error = [] if read.heart is None else [("its error", RATE_ERROR)]
    return [
        *([("recording of", who(read))] if read.paper.identity else []),
        ("recording", f"{read.record.duration_s:.1f} s at {read.record.rate_hz:g} Hz"),
        ("heart rate", rate_in_words(read)),
        *error,
        *([("through it", "; ".join(through))] if (through := through_the_recording(read.report)) else []),
        ("not assessed", NOT_ASSESSED),
        ("read by", str(read.by)),
        ("report made", read.made.isoformat(sep=" ")),
    ]


def notes(read: Reading) -> list[str]:
    """Quality findings and warnings, in words; never empty."""
    found = [
        *(str(finding) for finding in read.report.quality),
        *(f"warning: {warning}" for warning in read.report.warnings),
        *([f"warning: {CHILD}"] if read.record.age is not None and read.record.age < ADULT_YEARS else []),
    ]
    return found or ["nothing found wrong; exchanged chest leads, and much noise that is mild, are not seen"]

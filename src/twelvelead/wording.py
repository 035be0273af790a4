"""What sentences and tables are made of: names from files made safe to print, and numbers with what they count."""

from typing import Final

MOST_DIGITS: Final = 17


def printable(text: str) -> str:
    """Text from a file or a file's name, with whatever could steer a terminal or break a document replaced."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def no_formula(name: str) -> str:
    """The name; with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def apart_from(value: float, threshold: float, n_digits: int) -> str:
    """A number to so many digits, or to more where it would else be shown as the threshold that it misses."""
    texts = (f"{value:.{n}f}" for n in range(n_digits, MOST_DIGITS))
    return next((text for text in texts if value >= threshold or float(text) < threshold), f"{value:.{MOST_DIGITS}f}")


def two_digits(probability: float) -> str:
    """As a sentence has it: 0.73; of less than a hundredth a digit more, so that nothing positive is 0.00."""
    return f"{probability:.2f}" if probability >= 0.01 else f"{probability:.3f}"


def only_longest(n: int, what: str) -> tuple[str, ...]:
    """The warning where a file has several of what is read, and one was taken; none where it has one."""
    return (f"{n} {what} found; only the longest is read",) if n > 1 else ()


def counted(n: int, noun: str) -> str:
    """ "1 recording", "2,000 recordings"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

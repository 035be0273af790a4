"""What sentences and tables are made of: names from files made safe to print, and numbers with what they count."""


def printable(text: str) -> str:
    """Text from a file or a file's name, with whatever could steer a terminal or break a document replaced."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def no_formula(name: str) -> str:
    """The name; with an apostrophe before it where a spreadsheet would compute it."""
    return f"'{name}" if name.startswith(("=", "+", "-", "@", "\t", "\r")) else name


def counted(n: int, noun: str) -> str:
    """ "1 recording", "2,000 recordings"."""
    return f"{n:,} {noun}{'' if n == 1 else 's'}"

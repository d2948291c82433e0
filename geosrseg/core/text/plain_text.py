"""Plain text: what a model file may say to a terminal, into a tag, or into an XML sidecar."""

import unicodedata

LONGEST = 10_000  # characters
REFUSED = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, surrogates, and separators of lines and paragraphs, as Unicode has it."""

BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that turn round the order of what follows: a name reads as another."""


def one_line(text: str) -> str:
    """Text as a terminal may show it: names of files, bands and scenes can hold anything."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.splitlines()))


def plain_lines(text: str) -> str:
    """Text of several lines and columns as a terminal may show it."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def check_text(text: str, what: str, *, lines: bool = False) -> None:
    """Refuse text that is more than text: control characters, halves of characters, a flood.

    A terminal obeys control characters, XML forbids them, no file takes a lone surrogate, and a
    mark of direction shows a reader another name than the file has.

    Args:
        text: from anywhere.
        what: its name, for the message.
        lines: it may have more than one line.

    Raises:
        ValueError: says what is wrong.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{what} has {len(text)} characters, expected at most {LONGEST}")
    allowed = "\n\t" if lines else ""
    wrong = {c for c in text if unicodedata.category(c) in REFUSED or c in "\ufffe\uffff"}
    wrong |= BIDI.intersection(text)
    wrong -= set(allowed)
    if wrong:
        listed = " ".join(f"U+{ord(c):04X}" for c in sorted(wrong)[:3])
        raise ValueError(f"{what} is plain text, got the characters {listed}")

"""Plain text: what may be shown in a terminal and written to tags and XML sidecars."""

import unicodedata

LONGEST = 10_000  # characters
REFUSED = ("Cc", "Cs", "Zl", "Zp")
"""Unicode categories of control characters, surrogates, line and paragraph separators."""

BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Characters that change the direction of the text after them, so that a name reads differently."""


def one_line(text: str) -> str:
    """Make one line that is safe for a terminal: names of files and bands can hold anything."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(text.splitlines()))


def plain_lines(text: str) -> str:
    """Make text safe for a terminal; line feeds and tabs stay."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def check_text(text: str, what: str, *, lines: bool = False) -> None:
    """Reject text with control characters or lone surrogates, or longer than `LONGEST`.

    A terminal obeys control characters, XML forbids them, files cannot store a lone surrogate,
    and direction marks disguise a name.

    Args:
        text: text from an unknown source.
        what: name of the text, for the message.
        lines: whether line feeds and tabs are allowed.

    Raises:
        ValueError: names the fault.
    """
    if len(text) > LONGEST:
        raise ValueError(f"{what} has {len(text)} characters, expected at most {LONGEST}")
    allowed = "\n\t" if lines else ""
    wrong = {c for c in text if unicodedata.category(c) in REFUSED or c in "\ufffe\uffff"}
    wrong |= BIDI.intersection(text)
    if wrong := wrong.difference(allowed):
        listed = " ".join(f"U+{ord(c):04X}" for c in sorted(wrong)[:3])
        raise ValueError(f"{what} is plain text, got the characters {listed}")

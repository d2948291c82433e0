"""Plain text: what a model file may say to a terminal, into a tag, or into an XML sidecar."""

import unicodedata

LONGEST = 10_000  # characters
REFUSED = ("Cc", "Cs")  # control characters and surrogates, as Unicode has it


def check_text(text: str, what: str, *, lines: bool = False) -> None:
    """Refuse text that is more than text: control characters, halves of characters, a flood.

    A terminal obeys control characters, XML forbids them, and no file takes a lone surrogate.

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
    wrong -= set(allowed)
    if wrong:
        listed = " ".join(f"U+{ord(c):04X}" for c in sorted(wrong)[:3])
        raise ValueError(f"{what} is plain text, got the characters {listed}")

"""Counted: a number with its noun, for messages."""


def counted(number: int, noun: str, *, plural: str = "") -> str:
    """``1 image``, ``2 images``; with ``plural``, for a noun that takes more than an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"

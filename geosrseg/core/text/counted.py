"""A number with its noun, for messages."""


def counted(number: int, noun: str, *, plural: str = "") -> str:
    """Return ``1 image`` or ``2 images``; `plural` is for nouns that need more than an s."""
    return f"{number} {noun if number == 1 else plural or f'{noun}s'}"

"""Chooses the bands that a picture shows as red, green and blue."""

COMPOSITES = (("swir1", "nir", "red"), ("nir", "red", "green"), ("red", "green", "blue"))
"""Bands to show as red, green and blue; those that separate vegetation best come first."""


def choose_composite(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return a known combination of three bands, otherwise the first ones."""
    known = next((trio for trio in COMPOSITES if set(trio) <= set(names)), None)
    return known or (names[:3] if len(names) >= 3 else names[:1] * 3)

"""Composite: which bands are shown as red, green and blue."""

COMPOSITES = (("swir1", "nir", "red"), ("nir", "red", "green"), ("red", "green", "blue"))
"""Bands to show as red, green and blue; what tells vegetation apart best comes first."""


def choose_composite(names: tuple[str, ...]) -> tuple[str, ...]:
    """Three bands for red, green and blue: a known combination, else what there is."""
    known = next((trio for trio in COMPOSITES if set(trio) <= set(names)), None)
    return known or (names[:3] if len(names) >= 3 else names[:1] * 3)

"""The names of the layers that a map can have."""

CLASSES, CONFIDENCE, SR, FRACTIONS = "classes", "confidence", "sr", "fractions"

LAYERS = (CLASSES, CONFIDENCE, SR, FRACTIONS)
"""Everything that one pass over a scene can give; the class map is always given."""

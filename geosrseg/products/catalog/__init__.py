"""Many maps as one: their STAC collection, and files that open them as one layer in a GIS."""

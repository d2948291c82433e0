"""Many maps as one: a STAC collection of them, and what opens them as one layer of a GIS."""

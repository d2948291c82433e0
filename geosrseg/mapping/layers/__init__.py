"""Layers: the rasters that one pass over a scene gives, each of them a class."""

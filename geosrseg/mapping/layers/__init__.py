"""Layers: the rasters that one pass over a scene produces, one Python class each."""

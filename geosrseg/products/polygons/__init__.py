"""Polygons of a class map, streamed."""

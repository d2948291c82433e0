"""Polygons of a class map, written while the map is read."""

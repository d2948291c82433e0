"""Rasters as files: opening, reading, publishing."""

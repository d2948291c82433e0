"""Raster and vector files: opened, read, and brought onto other grids."""

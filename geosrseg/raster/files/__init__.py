"""Opens raster and vector files, and reads them on other grids."""

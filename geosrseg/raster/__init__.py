"""Rasters: scenes in, class maps out. The only layer that knows GDAL."""

"""Below all reading: where files lie, GDAL and its errors, locks and publication."""

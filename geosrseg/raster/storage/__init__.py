"""What all file access builds on: locations, GDAL and its errors, locks, publication."""

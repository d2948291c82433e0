"""Landsat: products of Collection 2 and of HLS (harmonized Landsat and Sentinel-2)."""

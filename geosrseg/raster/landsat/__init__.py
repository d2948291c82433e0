"""Landsat: products of Collection 2, and of HLS, its harmonization with Sentinel-2."""

"""Sentinel-2 products."""

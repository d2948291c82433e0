"""Landsat Collection 2 products."""

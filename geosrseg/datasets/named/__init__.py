"""Datasets as their distributors ship them."""

"""STAC items of maps and models."""

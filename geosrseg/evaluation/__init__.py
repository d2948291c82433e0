"""Measuring models against references, and repeating experiments."""

"""Validation at the end of an epoch: windows, scores and panels."""

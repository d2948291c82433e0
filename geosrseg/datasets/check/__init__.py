"""Checks of a dataset before training: mistakes in values, classes and splits."""

"""Turns the best weights of a run into a model file."""

"""Training: a run from its dataset to its model file."""

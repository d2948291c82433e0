"""From the best weights of a run to a model file."""

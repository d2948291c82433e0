"""Training data: datasets, chips and the degradation."""

"""Loading, checking and running model files."""

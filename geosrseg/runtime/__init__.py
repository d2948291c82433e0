"""Running a model file."""

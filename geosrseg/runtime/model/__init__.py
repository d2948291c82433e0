"""Reading a model file without trusting it."""

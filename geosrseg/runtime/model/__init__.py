"""Reads model files from unknown sources safely."""

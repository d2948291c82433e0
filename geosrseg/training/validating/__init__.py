"""What is measured and drawn at the end of an epoch."""

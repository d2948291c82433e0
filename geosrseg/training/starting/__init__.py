"""Initial weights of a training, and parts that keep them."""

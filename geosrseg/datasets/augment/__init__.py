"""How a training chip is varied, and its LR image made."""

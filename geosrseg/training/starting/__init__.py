"""What a training begins with: weights that somebody has, and parts that keep theirs."""

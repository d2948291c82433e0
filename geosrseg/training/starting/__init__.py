"""Where a training starts: initial weights, and parts that keep theirs."""

"""Training data: dataset cards, labelled scenes, and the chips drawn from them."""

"""Dataset cards: the TOML files that describe a dataset."""

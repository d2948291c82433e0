"""Cross-validation: how a dataset is split into parts, each of which validates once."""

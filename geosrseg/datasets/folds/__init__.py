"""Cross-validation: a dataset split into parts that validate in turn."""

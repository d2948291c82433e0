"""Commands on finished class maps; no model is loaded."""

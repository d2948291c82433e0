"""Commands on finished class maps; they load no model."""

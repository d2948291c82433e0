"""Files made from a finished class map."""

"""Named datasets, read as their distributors ship them."""

"""A dataset card drafted from images and masks, for whoever has no card yet."""

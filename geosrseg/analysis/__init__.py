"""Work on finished class maps, ours or anybody's, without a model."""

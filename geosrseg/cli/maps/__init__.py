"""Commands that make maps, and what surrounds a run."""

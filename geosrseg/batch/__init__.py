"""Many scenes: a plan of the maps to make, and its execution, here or on many machines."""

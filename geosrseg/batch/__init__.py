"""Many scenes: a plan of what is to be made, and what works it off, here or on many machines."""

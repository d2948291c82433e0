"""Commands that make maps, plan and run many of them, and describe scenes and models."""

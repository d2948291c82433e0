"""Reading and writing text, much of it from unknown sources."""

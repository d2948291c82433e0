"""What is known of a scene before its pixels are read."""

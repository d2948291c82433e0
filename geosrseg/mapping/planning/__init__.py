"""What is known of a map before it is made."""

"""What the commands do, as functions that read as the product."""

"""Commands that train, export and measure networks."""

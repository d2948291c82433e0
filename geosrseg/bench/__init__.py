"""How fast a machine is, and what windows change."""

"""The paper's comparison: protocols, seeds and levers."""

"""TOML text: keys and values as a card has them."""

import json

import numpy as np


def toml_key(name: str) -> str:
    """A name as a key."""
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else json.dumps(name, ensure_ascii=False)


def toml_value(value: str | float) -> str:
    """A text, a whole number, or another one, which has a point."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) or abs(value) >= 1e16:
        return str(value)
    return np.format_float_positional(value, trim="0")

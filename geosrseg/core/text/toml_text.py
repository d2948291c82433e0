"""Writes keys and values of TOML."""

import json

import numpy as np


def toml_key(name: str) -> str:
    """Return a name as a key, quoted if necessary."""
    plain = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if plain else json.dumps(name, ensure_ascii=False)


def toml_value(value: str | float) -> str:
    """Return a text, a whole number, or a float with a decimal point."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, int) or abs(value) >= 1e16:
        return str(value)
    return np.format_float_positional(value, trim="0")

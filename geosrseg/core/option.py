"""Options that Python and the command line share.

A group of options is a frozen dataclass whose fields are made by `option`. Defaults and help
texts are stated only there: the command line's options are made from these fields.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Literal

from geosrseg.errors import GeosrsegError

Kind = Literal["text", "number", "whole", "flag", "size", "names", "numbers"]
"""text; a float; an int; True or False; bytes as in 4G; names separated by commas;
numbers, for which the command line repeats the option."""

_KEY = "geosrseg.option"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Description of one option.

    Attributes:
        name: name on the command line; the field's name if empty.
        metavar: placeholder for the value in the command line's help.
        default: text in the help for a default of None.
        least: smallest allowed number.
        above: lower bound of a number, itself not allowed.
        choices: the allowed values; empty for any.
    """

    help: str
    kind: Kind = "text"
    name: str = ""
    metavar: str = ""
    default: str = ""
    least: float | None = None
    above: float | None = None
    choices: Sequence[str] = ()


def option(said: str, default: Any = None, *, shown: str = "", **values: Any) -> Any:
    """Make a field of a group of options.

    Args:
        said: help text.
        default: value if the user gives none.
        shown: text in the help for a default of None.
        values: further attributes of `Option`.
    """
    made = Option(help=said, default=shown, **values)
    return field(default=default, metadata={_KEY: made})


def options_of(group: type) -> Mapping[str, tuple[Option, Any]]:
    """Return the description and the default of each option, by the field's name."""
    return {
        item.name: (item.metadata[_KEY], item.default)
        for item in fields(group)
        if _KEY in item.metadata
    }


def check_options(group: Any, error: type[GeosrsegError] = GeosrsegError) -> None:
    """Check every value against the description of its field.

    Args:
        group: an instance of a group of options.
        error: class of the error to raise.

    Raises:
        GeosrsegError: names the field, its value and what was expected.
    """
    for name, (said, default) in options_of(type(group)).items():
        value = getattr(group, name)
        if value is None or (value is default and said.kind != "text"):
            continue
        if said.choices and value not in said.choices:
            raise error(f"`{name}` {value!r}: expected one of {', '.join(said.choices)}")
        if said.kind in ("number", "whole", "size"):
            _check_number(name, said, value, error)


def _check_number(name: str, said: Option, value: Any, error: type[GeosrsegError]) -> None:
    whole = said.kind != "number"
    try:
        right = math.isfinite(value) and (not whole or int(value) == value)
    except (TypeError, ValueError, OverflowError):
        raise error(f"`{name}` {value!r}: expected a number") from None
    right = right and (said.least is None or value >= said.least)
    if not right or not (said.above is None or value > said.above):
        kind = "a whole number" if whole else "a number"
        bound = "" if said.least is None else f" of at least {said.least:g}"
        bound = bound if said.above is None else f" above {said.above:g}"
        raise error(f"`{name}` {value:g}: expected {kind}{bound}")


def unknown_option(name: str, known: Sequence[str]) -> GeosrsegError:
    """Return the error for an unknown name of an option."""
    near = get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else f"expected some of {', '.join(known)}"
    return GeosrsegError(f"no option {name!r}: {hint}")

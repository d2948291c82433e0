"""Options of a network: finds its declared keyword arguments, and reads their values from text."""

import inspect
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from geosrseg.errors import RunError

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
EXPECTED = {int: "a whole number", float: "a number", bool: "true or false"}


def declared_options(
    builder: Callable[..., Any], *, given: tuple[str, ...] = ()
) -> Mapping[str, inspect.Parameter]:
    """List the keyword-only parameters of a network's builder, except those in `given`."""
    try:
        signature = inspect.signature(builder, eval_str=True)
    except NameError:  # an annotation imported for type checkers only
        signature = inspect.signature(builder)
    return {
        name: parameter
        for name, parameter in signature.parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY and name not in given
    }


def check_names(
    part: str, network: str, names: Mapping[str, Any], known: Mapping[str, inspect.Parameter]
) -> None:
    """Refuse options that a network does not declare.

    Raises:
        RunError: an option is unknown.
    """
    if unknown := [name for name in names if name not in known]:
        raise RunError(
            f"`{part}={network}` has no option {unknown[0]}, expected "
            f"{', '.join(known) or 'none at all'}"
        )


def read_value(part: str, text: str, parameter: inspect.Parameter) -> Any:
    """Convert an option's text to the type of its annotation or its default.

    Args:
        part: ``sr``, ``seg`` or ``joint``, for the message.
        text: text from the user.
        parameter: the network's declaration.

    Raises:
        RunError: the text is not a value of this type.
    """
    kinds = _kinds(parameter)
    if NoneType in kinds and text.lower() == "none":
        return None
    refused = f"`{part}_options={parameter.name}={text}`: expected "
    if choices := [
        each for kind in kinds if get_origin(kind) is Literal for each in get_args(kind)
    ]:
        by_text = {str(choice): choice for choice in choices}
        if text not in by_text:
            raise RunError(refused + f"one of {', '.join(by_text)}")
        return by_text[text]
    kind = next((kind for kind in (bool, int, float, str) if kind in kinds), None)
    if kind is None:
        raise RunError(f"{refused}a value that only Python can give")
    try:
        return WORDS[text.lower()] if kind is bool else kind(text)
    except (KeyError, ValueError):
        raise RunError(refused + EXPECTED[kind]) from None


def _kinds(parameter: inspect.Parameter) -> tuple[Any, ...]:
    kind = parameter.annotation
    if kind in (parameter.empty, Any) or isinstance(kind, str):
        has_type = parameter.default not in (parameter.empty, None)
        kind = type(parameter.default) if has_type else str
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)

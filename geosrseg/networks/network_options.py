"""Options of a network: the keyword arguments that it declares, and their values as text."""

import inspect
from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from geosrseg.errors import RunError

WORDS: Mapping[str, bool] = {"true": True, "yes": True, "1": True} | {
    "false": False,
    "no": False,
    "0": False,
}
EXPECTED = {int: "a whole number", float: "a number", bool: "true or false"}


def declared_options(
    builder: Callable[..., Any], *, given: tuple[str, ...] = ()
) -> Mapping[str, inspect.Parameter]:
    """The keyword-only parameters of what builds a network, except those that are `given`."""
    try:
        signature = inspect.signature(builder, eval_str=True)
    except NameError:  # an annotation that is known to type checkers alone
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
        RunError: names the first of them, and those that there are.
    """
    if unknown := [name for name in names if name not in known]:
        raise RunError(
            f"`{part}={network}` has no option {unknown[0]}, expected "
            f"{', '.join(known) or 'none at all'}"
        )


def read_value(part: str, text: str, parameter: inspect.Parameter) -> Any:
    """The value of an option that is given as text, by its annotation or its default's type.

    Args:
        part: ``sr``, ``seg`` or ``joint``, for the error.
        text: as typed.
        parameter: what the network declares.

    Raises:
        RunError: the text is not such a value.
    """
    kinds = _kinds(parameter)
    if NoneType in kinds and text.lower() == "none":
        return None
    refused = f"`{part}_options={parameter.name}={text}`: expected "
    if choices := [choice for kind in kinds for choice in _choices(kind)]:
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


def _choices(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()

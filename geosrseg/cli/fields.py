"""Options of a command, generated from the dataclasses and registries that they fill."""

import inspect
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from geosrseg.cli.terminal.sizes import Bytes
from geosrseg.core.option import Option, options_of
from geosrseg.raster.sensors.sensors import sensors_help

if TYPE_CHECKING:
    from geosrseg.registry import Registry

Group = TypeVar("Group")
Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def group_options(*groups: type) -> Decorator:
    """One option per field of the groups, in their order."""
    return _applied(
        _field_option(name, said, default)
        for group in groups
        for name, (said, default) in options_of(group).items()
    )


def field_option(group: type, name: str) -> Decorator:
    """The option of one field, for a command that takes only this one of its group."""
    return _field_option(name, *options_of(group)[name])


def taken(group: Callable[..., Group], arguments: dict[str, Any]) -> Group:
    """Build a dataclass from the arguments named like its fields, and remove them."""
    names = [field.name for field in fields(cast("Any", group))]
    return group(**{name: arguments.pop(name) for name in names if name in arguments})


def layer_options(registry: "Registry[Any]", *, without: str) -> Decorator:
    """One flag per layer, except the layer `without`."""
    return _applied(
        click.option(
            _flag(name), is_flag=True, help=f"Also write OUT.{name}.tif: {registry.help(name)}"
        )
        for name in registry.names
        if name != without
    )


def file_options(registry: "Registry[Any]") -> Decorator:
    """One option per product file, each followed by the product's own options."""

    def options() -> Iterator[Decorator]:
        for name in registry.names:
            yield click.option(
                _flag(name),
                type=click.Path(path_type=Path),
                metavar=registry.metavar(name),
                help=f"Also write {registry.help(name)}",
            )
            if (group := registry.options(name)) is not None:
                yield group_options(group)

    return _applied(options())


def products_listed(command: click.Command) -> click.Command:
    """Append the products that sensors recognise to the command's help."""
    lines = [
        textwrap.fill(line, 72, initial_indent="  ", subsequent_indent="    ")
        for line in sensors_help()
    ]
    listed = "\n".join(["\b", "Products:", *lines])
    command.help = f"{inspect.cleandoc(command.help or '')}\n\n{listed}"
    return command


def _applied(options: Iterable[Decorator]) -> Decorator:
    """Combine options into one decorator that keeps their order in the help."""
    in_order = list(options)

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(in_order):
            command = option(command)
        return command

    return decorate


def _field_option(name: str, said: Option, default: Any) -> Decorator:
    if said.kind == "flag":
        return click.option(_flag(name), is_flag=True, help=said.help)
    shown = f"{said.help}  [default: {said.default}]" if said.default else said.help
    return click.option(
        _flag(said.name or name),
        name,
        type=_type(said),
        metavar=said.metavar or None,
        default=None if default == () else default,
        multiple=said.kind == "numbers",
        show_default=default not in (None, (), ""),
        help=shown,
    )


def _type(said: Option) -> Any:
    if said.choices:
        return click.Choice(list(said.choices))
    if said.kind == "whole":
        return click.INT if said.least is None else click.IntRange(min=int(said.least))
    return {"number": click.FLOAT, "numbers": click.FLOAT, "size": Bytes()}.get(
        said.kind, click.STRING
    )


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")

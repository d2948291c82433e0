"""Wording: translates the library's messages into the options of the command line.

The library names a field in backquotes, `` `window_size` `` or `` `bands=1,2,3` ``, as Python
writes it. Here such names become the options of the command that was called: ``--window``,
``--bands 1,2,3``.
"""

import re
from collections.abc import Mapping

import click

_FIELD = re.compile(r"`(\w+)(?:=([^`]*))?`")


def option_names(*commands: click.Command) -> dict[str, str]:
    """The long option of each field that the commands fill; the first command wins."""
    names: dict[str, str] = {}
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name is not None:
                names.setdefault(parameter.name, max(parameter.opts, key=len))
    return names


def in_options(text: str, names: Mapping[str, str]) -> str:
    """Replace every field that has an option by the option; leave others unchanged."""

    def replaced(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if name not in names:
            return found[0]
        return names[name] if value in (None, "True") else f"{names[name]} {value}"

    return _FIELD.sub(replaced, text)


def in_words_of_command(text: str) -> str:
    """Translate text for the running command, with the options of `predict` as a fallback.

    Text is unchanged if no command is running.
    """
    context = click.get_current_context(silent=True)
    if context is None or "`" not in text:
        return text
    group = context.find_root().command
    called = context.command
    if isinstance(group, click.Group) and called is group and context.invoked_subcommand:
        called = group.get_command(context, context.invoked_subcommand) or called
    commands = [called]
    if isinstance(group, click.Group) and (predict := group.get_command(context, "predict")):
        commands.append(predict)
    return in_options(text, option_names(*commands))

"""Wording: what the library says, in the words of the command line.

The library names a field in backquotes, `` `window_size` `` or `` `bands=1,2,3` ``, as Python
writes it. The command that was called knows its options, and this is the one place where the
names of fields become theirs: ``--window``, ``--bands 1,2,3``.
"""

import re
from collections.abc import Mapping

import click

_FIELD = re.compile(r"`(\w+)(?:=([^`]*))?`")


def option_names(*commands: click.Command) -> dict[str, str]:
    """The long option of each field that one of the commands fills; the first one wins."""
    names: dict[str, str] = {}
    for command in commands:
        for parameter in command.params:
            if isinstance(parameter, click.Option) and parameter.name is not None:
                names.setdefault(parameter.name, max(parameter.opts, key=len))
    return names


def in_options(text: str, names: Mapping[str, str]) -> str:
    """Text in which every field that has an option is called by it; others are left alone."""

    def replaced(found: re.Match[str]) -> str:
        name, value = found[1], found[2]
        if name not in names:
            return found[0]
        return names[name] if value in (None, "True") else f"{names[name]} {value}"

    return _FIELD.sub(replaced, text)


def in_words_of_command(text: str) -> str:
    """Text in the words of the command that is running, and of `predict`, which has the most.

    Without a command it stays as it is.
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

"""Writes cli.md, the reference of the command line, from the help of the commands.

``make docs`` runs it; a test checks that cli.md is current.
"""

from collections.abc import Iterator
from pathlib import Path

import click

from geosrseg.cli.main import main

HEADER = """# The command line

<!-- Written by `make docs` from the commands' help: change the help, not this file. -->

Exit codes: 0 done, 1 failed with one line `error: ...`, 2 wrong usage, 130 interrupted
(Ctrl-C), 143 terminated (SIGTERM). Results go to files and standard output, everything else
to standard error.
"""


def reference() -> str:
    """Return the text of the page."""
    sections = (f"\n## {path}\n\n```\n{text}\n```\n" for path, text in helps(main, "geosrseg"))
    return HEADER + "".join(sections)


def helps(
    command: click.Command, name: str, parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield full name and help of a command, then of its subcommands."""
    settings = {"terminal_width": 88, **command.context_settings}
    ctx = click.Context(command, parent, info_name=name, **settings)
    yield ctx.command_path, command.get_help(ctx)
    if isinstance(command, click.Group):
        for child in command.list_commands(ctx):
            found = command.get_command(ctx, child)
            if found is not None:
                yield from helps(found, child, ctx)


if __name__ == "__main__":
    Path(__file__).with_name("cli.md").write_text(reference(), encoding="utf-8")

"""The command ``geosrseg``: finds the subcommand and turns every outcome into an exit code.

    0    done
    1    failed, with one line ``error: ...`` on stderr
    2    wrong usage
    130  interrupted (Ctrl-C)
    143  terminated (SIGTERM)

A command's module is imported when that command is called, so ``geosrseg --help`` is fast and
loads neither numpy nor GDAL.
"""

import errno
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, Any, NoReturn, TextIO

import click

from geosrseg.apart import without_current_folder
from geosrseg.cli.options import DEBUG, debug_option
from geosrseg.cli.stopping import stopped_by_signals
from geosrseg.cli.wording import in_words_of_command
from geosrseg.core.text.plain_text import one_line
from geosrseg.errors import GeosrsegError

COMMANDS = {
    "maps": {
        "predict": "Make high-resolution class maps of low-resolution scenes.",
        "plan": "Plan the maps of many scenes, one line per scene or part of a scene.",
        "run": "Make the maps of a work file that do not exist yet.",
        "index": "Build one layer and one STAC collection from the maps in a folder.",
        "clean": "List the files that stopped runs of predict left, or remove them.",
        "info": "Describe a scene and say whether a model can map it, or describe a model.",
        "models": "List, show and verify models, both shipped and fetched by address.",
    },
    "finished": {
        "vectorize": "Write the polygons of a class map, with their areas.",
        "areas": "Measure the ground area of each class, in the whole map or per zone.",
        "relabel": "Merge, rename or recolour a map's classes, drop small patches, or clip it.",
        "assess": "Compare a class map with a reference.",
        "sample": "Draw a stratified random sample of points from a class map.",
        "mosaic": "Merge overlapping or adjacent class maps into one Cloud Optimized GeoTIFF.",
        "change": "Compare class maps of one place at several dates.",
        "report": "Write an HTML page of a class map with zoom, legend, areas and a swipe to the "
        "scene.",
        "quicklook": "Draw a class map with its legend, and the scene beside it.",
        "stac": "Write the STAC item of a class map, its styles and its other layers.",
    },
    "learning": {
        "card": "Draft a dataset card from images and their masks.",
        "train": "Train a network on a dataset.",
        "runs": "List the training runs in a folder, ./runs by default.",
        "export": "Write the best weights of a run as a model file.",
        "evaluate": "Measure models on a dataset and compare them.",
        "reproduce": "Train the paper's protocols on a dataset and compare them.",
        "benchmark": "Measure how fast this machine makes maps.",
    },
}
"""Short help by room and command; command NAME of ROOM is ``geosrseg.cli.ROOM.NAME.NAME``."""


class Failure(click.ClickException):
    """Ends the command with exit code 1 and one line on stderr."""

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(f"error: {one_line(self.message)}", file=file, err=True)


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for commands in COMMANDS.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for room, commands in COMMANDS.items():
            if cmd_name in commands:
                module = import_module(f"geosrseg.cli.{room}.{cmd_name}")
                command: click.Command = getattr(module, cmd_name)
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([row for commands in COMMANDS.values() for row in commands.items()])

    def main(self, *args: Any, **kwargs: Any) -> Any:
        _open_standard_streams()
        with without_current_folder():
            return super().main(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; turn any exception into an exit code and one line."""
        try:
            with _one_line_warnings(), stopped_by_signals():
                result = super().invoke(ctx)
                sys.stdout.flush()
                return result
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise  # click itself knows these
        except KeyboardInterrupt as stop:
            click.echo(one_line(": ".join(["interrupted", *map(str, stop.args)])), err=True)
            ctx.exit(130)
        except GeosrsegError as error:
            _fail(ctx, error, str(error))
        except Exception as error:
            if isinstance(error, OSError) and _is_of_stdout(error):
                _leave_stdout()
                made = "".join(f"; {note}" for note in getattr(error, "__notes__", ()))
                reason = error.strerror or error
                _fail(ctx, error, f"standard output cannot be written ({reason}){made}")
            if message := _fault_of_the_machine(error):
                _fail(ctx, error, message)
            kind = type(error).__name__
            hint = "" if DEBUG in ctx.meta else ": run it again with --debug and report the output"
            _fail(ctx, error, f"{kind}: {error} (this is a bug{hint})")


_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room, or choose another disk"),
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOENT: "check that its files still exist",
    errno.EIO: "check that the disk works and is still mounted",
    errno.EMFILE: "close other programs, or raise the limit of open files (ulimit -n)",
}
"""Remedies by the system's error number."""


def _fault_of_the_machine(error: Exception) -> str | None:
    """Describe a failure of memory or disk in one line; None for a bug."""
    from geosrseg.runtime.failure import in_one_line, is_out_of_memory

    if is_out_of_memory(error):
        return f"out of memory ({in_one_line(error)}): close other programs, or give it more"
    if isinstance(error, OSError) and error.strerror:
        place = f"{error.filename}: " if error.filename else ""
        return f"{place}{error.strerror}: {_ADVICE.get(error.errno or 0, 'choose another place')}"
    return None


def _is_of_stdout(error: OSError) -> bool:
    """Whether a line on the standard output failed, or the last flush."""
    frames = [frame.f_code for frame, _ in traceback.walk_tb(error.__traceback__)]
    return error.filename is None and (
        any(code.co_name == "echo" for code in frames) or frames[-1].co_name == "invoke"
    )


def _leave_stdout() -> None:
    """Redirect standard output to the null device, so that its buffer can still be flushed."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(ctx: click.Context, error: Exception, message: str) -> NoReturn:
    if DEBUG in ctx.meta:
        traceback.print_exception(error)
    raise Failure(in_words_of_command(message)) from error


def _open_standard_streams() -> None:
    """Redirect streams that the caller has closed to the null device.

    Otherwise the next files opened would get their numbers, and what a library writes to
    standard error would end up in a map.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115


@contextmanager
def _one_line_warnings() -> Iterator[None]:
    """Show only the message of a warning, not the line of code that raised it."""

    def show(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        from geosrseg.cli.terminal.prediction_report import say

        say(f"warning: {one_line(in_words_of_command(str(message)))}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


def _show_versions(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value:
        from geosrseg.cli.versions import describe_versions

        click.echo(describe_versions())
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_versions,
    help="Show the versions that a bug report needs.",
)
@debug_option
def main() -> None:
    """High-resolution class maps from low-resolution satellite images."""

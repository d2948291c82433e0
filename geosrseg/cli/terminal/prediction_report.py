"""The messages of ``predict`` when a map is finished or interrupted."""

import shlex
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from geosrseg.cli.terminal.sizes import duration
from geosrseg.cli.wording import in_words_of_command
from geosrseg.core.text.plain_text import plain_lines

if TYPE_CHECKING:
    from geosrseg.mapping.prediction import Outcome, Prediction

SHOWN_CLASSES = 8


def say(text: str) -> None:
    """Print a line on standard error, above the progress bar if there is one."""
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        click.echo(plain_lines(text), err=True)


def show_summary(done: "Prediction") -> None:
    """Print what ran, what the map contains, and the warnings, which may have scrolled away."""
    summary, windows = done.summary, done.windows + done.skipped
    classes = [f"{name} {share:.1%}" for name, share in summary.classes.items()]
    more = [f"{len(classes) - SHOWN_CLASSES} more"] if len(classes) > SHOWN_CLASSES else []
    say(f"{done.model} on {done.device}, {done.precision}: {duration(summary.seconds)}")
    side = "" if summary.pixel_metres is None else f" of {summary.pixel_metres:,.3g} m"
    say(f"map of {summary.width} x {summary.height} pixels{side}, {_size(done.output)}")
    if done.skipped:
        say(f"skipped {done.skipped} of {windows} windows: nothing to map in them")
    ignored = f", ignored {summary.ignored:.1%}" if summary.ignored else ""
    say(
        f"mapped {summary.mapped:.1%}, masked {summary.masked:.1%}{ignored}, "
        f"empty {summary.empty:.1%}"
    )
    if classes:
        say(f"classes: {', '.join([*classes[:SHOWN_CLASSES], *more])}")
    for text in done.warnings:
        say(f"warning: {in_words_of_command(text)}")


def _size(path: Path) -> str:
    size = path.stat().st_size / 1e6
    return f"{size:,.3g} MB" if size < 1000 else f"{size / 1000:,.3g} GB"


@contextmanager
def interruption_explained(text: Callable[[], str]) -> Iterator[None]:
    """Make Ctrl-C and SIGTERM say how far the command got; `text` is called when they occur."""
    try:
        yield
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(text()) from stop
    except SystemExit as stop:
        if stop.code == 128 + signal.SIGTERM:
            say(f"terminated: {text()}")
        raise


def kept(output: Path, before: "Sequence[Outcome]" = ()) -> str:
    """What an interruption kept of a map, and how to resume or remove it.

    Args:
        output: the map in progress.
        before: outcomes of the scenes that this command has already finished.
    """
    from geosrseg.raster.maps.stopped_runs import find_stopped_run

    done = f"{len(before)} of the scenes are finished; " if before else ""
    again = "with --skip-existing " if before else ""
    stopped = find_stopped_run(output)
    if stopped is None:
        return (
            f"{done}kept nothing of {output}, as no strip of windows was finished: run the "
            f"command again {again}to start again"
        )
    remove = shlex.join(["geosrseg", "clean", "--remove", str(output.parent)])
    return (
        f"{done}kept {stopped.progress} of {output}: run the command again {again}to resume, "
        f"or {remove} to remove them"
    )

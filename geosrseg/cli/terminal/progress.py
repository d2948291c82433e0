"""Progress bars, which show on a terminal only."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm

LEAST_BAR = 12
"""Fewest free columns in which a bar is drawn."""


@contextmanager
def progress_bar(unit: str, *, total: int | None = None, initial: int = 0) -> Iterator["tqdm"]:
    """A bar on standard error that counts units.

    Args:
        total: number of units, if known. Without it, the bar shows once something is counted, so
            that none stands above an error.
        initial: units that were done before.
    """
    from tqdm import tqdm

    delay = 1e-3 if total is None else 0.0
    with tqdm(unit=unit, total=total, initial=initial, delay=delay, **bar_place()) as bar:
        yield bar


def bar_place() -> dict[str, Any]:
    """Arguments of a bar on standard error; they disable it if that is not a terminal."""
    if not sys.stderr.isatty():
        return {"file": sys.stderr, "disable": True}
    # A pseudo-terminal without a size, as containers make them, would show an empty line.
    sized = all(os.get_terminal_size(sys.stderr.fileno()))
    return {"file": sys.stderr} | ({"dynamic_ncols": True} if sized else {"ncols": 80, "nrows": 24})


def fit_line(columns: int, head: str, figures: Sequence[str], *, bar: bool = True) -> str:
    """A line for `tqdm`'s ``bar_format`` that fits into the terminal.

    Args:
        columns: width of the terminal.
        head: start of the line, always shown.
        figures: further text, the most important first; figures that do not fit are left out.
        bar: show a bar if there is room for one.
    """
    line = head
    for figure in filter(None, figures):
        if len(line) + len(figure) + 2 <= columns:
            line += f", {figure}"
    room = columns - len(line)
    return f"{head} |{{bar}}|{line[len(head) :]}" if bar and room > LEAST_BAR else line


def time_left(bar: "tqdm") -> str:
    """The time left at the speed so far; empty before it is known."""
    known = bar.format_dict
    if not (known["rate"] and known["total"]):
        return ""
    return f"{bar.format_interval((known['total'] - known['n']) / known['rate'])} left"


@contextmanager
def step_bar(unit: str) -> Iterator[Callable[[str], None]]:
    """A bar whose function counts one unit and shows its text."""
    with progress_bar(unit) as bar:

        def show(text: str) -> None:
            bar.set_description(text, refresh=False)
            bar.update()

        yield show

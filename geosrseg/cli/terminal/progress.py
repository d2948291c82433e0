"""What a command shows while it works: a bar on a terminal, and nothing elsewhere."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def progress_bar(unit: str, *, total: int | None = None, initial: int = 0) -> Iterator["tqdm"]:
    """A bar on the standard error that counts units.

    Args:
        unit: what it counts.
        total: how many there are, if that is known. Without it the bar shows once something
            is counted, so that there is none above an error.
        initial: how many were done before.
    """
    from tqdm import tqdm

    delay = 1e-3 if total is None else 0.0
    with tqdm(unit=unit, total=total, initial=initial, delay=delay, **bar_place()) as bar:
        yield bar


def bar_place() -> dict[str, Any]:
    """Arguments of a bar for the standard error: none on what is no terminal."""
    if not sys.stderr.isatty():
        return {"file": sys.stderr, "disable": True}
    # A pseudo-terminal without a size, as containers make them, would show an empty line.
    sized = all(os.get_terminal_size(sys.stderr.fileno()))
    return {"file": sys.stderr} | ({"dynamic_ncols": True} if sized else {"ncols": 80, "nrows": 24})


@contextmanager
def step_bar(unit: str) -> Iterator[Callable[[str], None]]:
    """A bar that is told what each unit belongs to."""
    with progress_bar(unit) as bar:

        def show(text: str) -> None:
            bar.set_description(text, refresh=False)
            bar.update()

        yield show

"""What a command shows while it works: a bar on a terminal, and nothing elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tqdm import tqdm


@contextmanager
def progress_bar(unit: str) -> Iterator["tqdm"]:
    """A bar on the standard error that counts units."""
    from tqdm import tqdm

    with tqdm(unit=unit, file=sys.stderr, disable=not sys.stderr.isatty()) as bar:
        yield bar


@contextmanager
def step_bar(unit: str) -> Iterator[Callable[[str], None]]:
    """A bar that is told what each unit belongs to."""
    with progress_bar(unit) as bar:

        def show(text: str) -> None:
            bar.set_description(text, refresh=False)
            bar.update()

        yield show

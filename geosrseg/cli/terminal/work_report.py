"""The output of ``geosrseg run``: a bar over all scenes, a line per event, a table at the end."""

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from geosrseg.cli.terminal.prediction_report import interruption_explained, say
from geosrseg.cli.terminal.progress import fit_line, progress_bar, time_left
from geosrseg.cli.wording import in_words_of_command
from geosrseg.core.text.plain_text import one_line

if TYPE_CHECKING:
    from tqdm import tqdm

    from geosrseg.batch.run_task import TaskResult
    from geosrseg.batch.work import Task
    from geosrseg.mapping.prediction import Progress


class WorkReport:
    """Reports the progress of a run's tasks.

    The bar counts windows, so that large scenes count for more. Windows of an earlier run count
    neither for the rate nor for the time left.

    Args:
        as_json: print every result as a line of JSON on standard output.
    """

    def __init__(self, tasks: Sequence["Task"], bar: "tqdm", *, as_json: bool) -> None:
        self.results: list[TaskResult] = []
        self._bar, self._as_json, self._count = bar, as_json, len(tasks)
        self._noun = "tasks" if any(task.parts > 1 for task in tasks) else "scenes"
        self._left = {task.id: max(task.windows, 1) for task in tasks}
        self._lock = threading.Lock()  # scenes that run at the same time report from threads
        self._fit()
        self._bar.refresh()

    def progress(self, task: "Task", progress: "Progress") -> None:
        """Count a finished window of a task."""
        with self._lock:
            left = progress.windows_total - progress.windows_done
            news = self._left[task.id] - left
            if progress.windows_done == progress.resumed:
                self._bar.total -= news
            else:
                self._bar.update(news)
            self._left[task.id] = left
            self._fit()

    def show(self, result: "TaskResult") -> None:
        """Report a task that has ended."""
        with self._lock:
            self.results.append(result)
            left = self._left.pop(result.id)
            if result.windows:
                self._bar.update(left)
            else:
                self._bar.total -= left  # skipped or failed: no time was spent on them
            self._fit()
            self._bar.refresh()
        for text in result.warnings:
            say(f"warning: {said_of(result.scene, text)}")
        if result.error:
            say(f"error: {said_of(result.scene, result.error)}")
        if self._as_json:
            click.echo(json.dumps(result.to_json()))

    def finish(self) -> bool:
        """Print the table; return False if a task failed."""
        if not self._as_json:
            for result in self.results:
                part = f" (part {result.part} of {result.parts})" if result.parts > 1 else ""
                row = f"{result.state:<8}{result.seconds:>9.1f} s  {result.output}{part}"
                click.echo(one_line(row))
        for output, parts in self._waiting().items():
            missing = " and ".join(f"part {k}" for k in parts)
            say(f"{output}: waits for {missing}: run {'it' if len(parts) == 1 else 'them'} too")
        say(self.counts)
        return not any(result.error for result in self.results)

    @property
    def counts(self) -> str:
        """How many tasks ended in each state, as text."""
        states = [result.state for result in self.results]
        shown = ("done", *(["kept"] if "kept" in states else []), "skipped", "failed")
        return ", ".join(f"{states.count(s)} {s}" for s in shown)

    def _waiting(self) -> dict[str, tuple[int, ...]]:
        """The unfinished parts of each map, according to the part that ended last."""
        last = {result.output: result.waits_for for result in self.results}
        made = {result.output for result in self.results if result.state in ("done", "skipped")}
        return {output: parts for output, parts in last.items() if parts and output not in made}

    def _fit(self) -> None:
        """Fit the line to the terminal."""
        if self._bar.disable:
            return
        bar = self._bar
        bar.bar_format = fit_line(
            bar.format_dict["ncols"],
            f"{len(self.results)}/{self._count} {self._noun} {bar.n / max(bar.total, 1):4.0%}",
            [time_left(bar), f"{bar.n}/{bar.total} windows"],
        )


@contextmanager
def work_report(tasks: Sequence["Task"], *, as_json: bool) -> Iterator[WorkReport]:
    """A report with its bar; an interruption also prints how far the run got."""
    with progress_bar("window", total=sum(max(task.windows, 1) for task in tasks)) as bar:
        report = WorkReport(tasks, bar, as_json=as_json)
        with interruption_explained(lambda: f"{report.counts}; run it again to resume"):
            yield report


def said_of(scene: str, text: str) -> str:
    """Text in the words of the command, starting with the scene's name."""
    text = in_words_of_command(text)
    return text if text.startswith(scene) else f"{scene}: {text}"

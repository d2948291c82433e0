"""``geosrseg run``: runs the tasks of a work file from ``geosrseg plan``."""

import os
import re
from pathlib import Path

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command

ARRAY = ("SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX")
"""Environment variables with the index of a job in an array of SLURM, AWS Batch, Kubernetes."""


class TaskNumber(click.ParamType[int]):
    """The number of a task, or ``array`` for the index of this job in its job array."""

    name = "N|array"

    def convert(
        self,
        value: str | int,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> int:
        text, where = str(value), ""
        if text == "array":
            where = next((name for name in ARRAY if os.environ.get(name)), "")
            if not where:
                self.fail(f"array: none of {', '.join(ARRAY)} is set here", param, ctx)
            text = os.environ[where]
        if not re.fullmatch(r"\d{1,9}", text):
            said = f"{where}={text}" if where else repr(text)
            self.fail(f"{said} is not the number of a task: expected 0 or more", param, ctx)
        return int(text)


class Shard(click.ParamType[tuple[int, int]]):
    """A share of the tasks, such as 2/8."""

    name = "I/K"

    def convert(
        self,
        value: str | tuple[int, int],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> tuple[int, int]:
        found = re.fullmatch(r"(\d{1,9})/(\d{1,9})", str(value))
        if found is None:
            self.fail(f"{value!r}: expected I/K, such as 2/8", param, ctx)
        return int(found[1]), int(found[2])


@click.command(cls=Command)
@click.argument("work", metavar="WORK.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--task", "number", type=TaskNumber(), metavar="N|array",
    help="Run one task, counted from 0; array takes the index of this job in a job array of "
    "SLURM, AWS Batch or Kubernetes.",
)  # fmt: skip
@click.option("--shard", type=Shard(), help="Run every K-th task, starting with the I-th.")
@click.option(
    "--jobs", type=click.IntRange(min=1), default=1, show_default=True,
    help="Processes on this machine.",
)  # fmt: skip
@click.option("--dask", metavar="ADDRESS", help="Run on the workers of a Dask scheduler.")
@options.threads_option
@click.option("--overwrite", is_flag=True, help="Replace existing maps of another plan.")
@options.json_option
@options.debug_option
@click.pass_context
def run(
    ctx: click.Context,
    work: Path,
    number: int | None,
    shard: tuple[int, int] | None,
    jobs: int,
    dask: str | None,
    threads: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Make the maps of a work file that do not exist yet.

    Finished tasks are skipped and started ones resumed. If tasks fail, they are named and the
    exit code is 1. With --json, each task prints one line of JSON on standard output when it
    ends. Without --task and --shard, the run ends by indexing the maps, as geosrseg index does.
    """
    from geosrseg.batch.run_on_dask import run_on_dask
    from geosrseg.batch.run_work import choose_tasks, run_work
    from geosrseg.batch.work import read_work
    from geosrseg.cli.terminal.work_report import work_report

    if dask is not None and jobs != 1:
        raise click.UsageError("--jobs is for this machine, --dask for a cluster: use one of them")
    tasks = choose_tasks(read_work(work), number=number, shard=shard)
    with work_report(tasks, as_json=as_json) as report:
        if dask is not None:
            run_on_dask(tasks, dask, overwrite=overwrite, threads=threads, on_result=report.show)
        else:
            run_work(
                tasks, jobs=jobs, overwrite=overwrite, threads=threads,
                on_result=report.show, on_progress=report.progress,
            )  # fmt: skip
    is_made = report.finish()
    if number is None and shard is None:
        _index_all({task.output.rpartition("/")[0] for task in tasks})
    if not is_made:
        ctx.exit(1)


def _index_all(folders: set[str]) -> None:
    """Index the maps of each folder; warn about a folder that has none yet."""
    from geosrseg.batch.index_archive import index_archive
    from geosrseg.cli.terminal.prediction_report import say
    from geosrseg.core.text.counted import counted
    from geosrseg.errors import OutputError

    for folder in sorted(folders):
        try:
            found = index_archive(folder)
        except OutputError as error:
            say(f"warning: no index of the maps: {error}")
        else:
            for text in found.left_out:
                say(f"warning: {text}")
            say(f"{folder}: {counted(found.maps, 'map')} indexed: {', '.join(found.files)}")

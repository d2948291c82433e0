"""``geosrseg benchmark``: how fast this machine makes maps, and what seams cost."""

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from geosrseg.cli import options
from geosrseg.cli.command import Command
from geosrseg.cli.terminal.progress import step_bar
from geosrseg.cli.terminal.table import format_table

if TYPE_CHECKING:
    from geosrseg.bench.machine import Machine
    from geosrseg.bench.result import Benchmark
    from geosrseg.bench.seam_comparison import SeamComparison

QUICK_SEAMS = (256, 256)


def _rows_cols(
    _ctx: click.Context, _param: click.Parameter, value: str | None
) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d*)x([1-9]\d*)", value)
    if found is None:
        raise click.BadParameter(f"{value!r}: expected ROWSxCOLS, such as 1000x1000")
    return int(found[1]), int(found[2])


@click.command(cls=Command)
@click.argument("model", required=False, metavar="[NAME|FILE.onnx]")
@click.option(
    "--size",
    metavar="ROWSxCOLS",
    callback=_rows_cols,
    help="LR pixels of the scene.  [default: 1000x1000; with --full 320x320, with "
    "--compare-seams 512x512]",
)
@click.option("--full", is_flag=True, help="Measure the paper's network, with random weights.")
@click.option("--quick", is_flag=True, help="Use a smaller scene and windows; takes minutes.")
@click.option(
    "--compare-seams",
    "seams",
    is_flag=True,
    help="Measure how many labels change at windows' seams, and the speed.",
)
@click.option(
    "--scene",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --compare-seams: map the middle of this scene.  [default: a synthetic one]",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="Also write the figures of every run.",
)
@options.overwrite_option
@options.json_option
@options.debug_option
def benchmark(
    model: str | None,
    size: tuple[int, int] | None,
    full: bool,
    quick: bool,
    seams: bool,
    scene: Path | None,
    output: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Measure how fast this machine makes maps.

    Prints tables for the network alone and for the whole command, with each available device and
    precision, relative to the machine's peak rate of matrix products and to PyTorch. The default
    is the embedded model.
    """
    from geosrseg.raster.storage.publication import check_output, publish_text
    from geosrseg.runtime.shipped_models import DEFAULT_MODEL

    if seams and full:
        raise click.UsageError("--compare-seams needs trained weights, --full has random ones")
    if scene and not seams:
        raise click.UsageError("--scene goes with --compare-seams")
    if output:
        check_output(output, suffixes=[".json"], overwrite=overwrite)
    model = model or DEFAULT_MODEL
    if seams:
        text, figures = _measure_seams(model, scene, size or (QUICK_SEAMS if quick else None))
    else:
        text, figures = _measure_speed(model, full=full, size=size, quick=quick)
    if output:
        publish_text(output, json.dumps(figures, indent=2) + "\n")
    click.echo(json.dumps(figures) if as_json else text)


def _measure_speed(
    model: str, *, full: bool, size: tuple[int, int] | None, quick: bool
) -> tuple[str, Mapping[str, Any]]:
    from geosrseg.bench.benchmark import benchmark

    with step_bar("step") as on_step:
        result = benchmark(model, full=full, size=size, quick=quick, on_step=on_step)
    return format_benchmark(result), result.to_json()


def _measure_seams(
    model: str, scene: Path | None, size: tuple[int, int] | None
) -> tuple[str, Mapping[str, Any]]:
    from geosrseg.bench.seam_comparison import SIZE, compare_seams

    with step_bar("step") as on_step:
        found = compare_seams(model, scene=scene, size=size or SIZE, on_step=on_step)
    return format_seams(found), found.to_json()


def format_benchmark(result: "Benchmark") -> str:
    """Machine, matrix products, networks and commands, as Markdown."""
    products = [
        [each.library, each.kind, each.precision, _rate(each.timing.rates(each.operations), 1e9)]
        for each in result.products
    ]
    networks = []
    for each in result.networks:
        rates = each.timing.rates(result.window_pixels)
        share, times = result.share_of_peak(each), result.times_yardstick(rates["median"])
        cells = [_rate(rates, 1e6), _number(times), _percent(share), _gigabytes(each.peak_bytes)]
        networks.append([each.device, each.precision, *cells])
    commands = []
    for command in result.commands:
        rates = command.timing.rates(result.scene_pixels)
        times = result.times_yardstick(rates["median"])
        cells = [_rate(rates, 1e6), _number(times), f"{command.times_network:.2f}"]
        commands.append([command.device, command.precision, *cells, _gigabytes(command.peak_bytes)])
    macs = result.multiply_adds / result.window_pixels / 1e3
    rows, cols = result.scene
    return "\n\n".join(
        [
            _machine(result.machine, result.date),
            f"{result.model}, {result.upscale_factor}x, "
            f"{macs:.0f} k multiply-adds for each HR pixel",
            "Matrix products",
            format_table([["library", "on", "precision", "GFLOP/s"], *products]),
            f"The network alone, one window of {result.window} x {result.window} LR pixels",
            format_table(
                [
                    ["device", "precision", "HR Mpx/s", "x PyTorch", "of the peak", "memory (GB)"],
                    *networks,
                ]
            ),
            f"The whole command, a scene of {rows} x {cols} LR pixels",
            format_table(
                [
                    ["device", "precision", "HR Mpx/s", "x PyTorch", "x network", "memory (GB)"],
                    *commands,
                ]
            ),
            *(f"Not measured: {name} ({reason})" for name, reason in result.missing.items()),
        ]
    )


def format_seams(found: "SeamComparison") -> str:
    """The changed labels and the speed of each choice of windows, as Markdown."""
    from geosrseg.bench.seam_counts import BIN

    bins = range(max(len(result.counts.pixels) for result in found.results))
    last = min(len(bins), 9) - 1
    head = [f"{BIN * k} to {BIN * (k + 1)}" for k in range(last)] + [f"{BIN * last} on"]
    costs, distances, classes = [], [], []
    for result in found.results:
        choice, counts = result.choice, result.counts
        name = f"{choice.window_size} / {choice.halo} / {choice.ramp}"
        speed = _rate(result.timing.rates(found.hr_pixels), 1e6)
        costs.append([name, f"{result.work:.2f}", speed, _percent(counts.share_changed, 4)])
        merged = [
            (part.sum(), whole.sum())
            for part, whole in (
                (
                    counts.changed[k : k + 1 if k < last else None],
                    counts.pixels[k : k + 1 if k < last else None],
                )
                for k in range(last + 1)
            )
        ]
        distances.append([name, *(_percent(c / n if n else None, 4) for c, n in merged)])
        classes.append([name, *(_number(iou, 4) for iou in counts.confusion.iou)])
    windows = "window / halo / ramp"
    rows, cols = found.size
    return "\n\n".join(
        [
            f"{found.model} on {found.device}, {found.precision}: {rows} x {cols} LR pixels of "
            f"{found.scene or 'a synthetic scene'}; in one window "
            f"{_rate(found.whole.rates(found.hr_pixels), 1e6)} HR Mpx/s",
            format_table([[windows, "work", "HR Mpx/s", "labels that differ"], *costs]),
            "Labels that differ, by LR pixels from the nearest border of a window",
            format_table([[windows, *head], *distances]),
            "IoU of each class with the map of one window",
            format_table([[windows, *found.classes], *classes]),
        ]
    )


def _machine(machine: "Machine", date: str) -> str:
    parts = [
        f"{machine.cpu}, {machine.cores} cores ({', '.join(machine.instructions) or 'unknown'})",
        f"{_gigabytes(machine.memory_bytes)} GB",
        ", ".join(machine.gpus) or "no GPU",
        machine.system,
        "load unknown" if machine.load is None else f"load {machine.load:.1f} before",
        ", ".join(f"{name} {version}" for name, version in machine.versions.items()),
    ]
    return f"{date}: {'; '.join(parts)}"


def _rate(rates: Mapping[str, float], unit: float) -> str:
    digits = 0 if rates["median"] >= 100 * unit else 2 if rates["median"] >= unit else 3
    median, low, high = (f"{rates[key] / unit:.{digits}f}" for key in ("median", "min", "max"))
    return f"{median} ({low} to {high})"


def _number(value: float | None, digits: int = 2) -> str:
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _percent(share: float | None, digits: int = 0) -> str:
    return "–" if share is None else f"{share:.{digits}%}"


def _gigabytes(size: int | None) -> str:
    return "–" if size is None else f"{size / 1e9:.1f}"

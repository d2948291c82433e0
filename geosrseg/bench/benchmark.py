"""Benchmarks how fast a model maps on this machine, and how close that is to the machine's peak.

It measures matrix products (the peak), the network alone on each available device and in each
precision, the whole command, and PyTorch as the yardstick. Each has its own process, and they run
in turn, A B C A B C: other load on the machine slows all of them alike, and the ratios hold.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

import onnx

from geosrseg.bench.command import CommandRun, run_predict
from geosrseg.bench.contestants import (
    TORCH,
    kind_of,
    networks,
    products,
    run_in_turn,
    yardsticks,
)
from geosrseg.bench.machine import describe_machine
from geosrseg.bench.process import run_apart
from geosrseg.bench.result import (
    YARDSTICK,
    Benchmark,
    CommandResult,
    NetworkResult,
    ProductResult,
)
from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import round_up
from geosrseg.errors import DeviceError, MissingExtraError, RunError
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.arithmetic import multiply_adds
from geosrseg.runtime.devices.devices import DEVICES, find_device
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model

REPEATS = 5
"""Runs of everything; the medians are printed."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of a benchmark.

    Attributes:
        window: largest side, in LR pixels, of the window for the network alone.
        scene: LR rows and columns of the scene for the whole command.
    """

    window: int
    scene: tuple[int, int]


MODEL_SIZE, QUICK_MODEL_SIZE = Size(256, (1000, 1000)), Size(128, (400, 400))
FULL_SIZE, QUICK_FULL_SIZE = Size(128, (320, 320)), Size(64, (128, 128))
"""Smaller: the full network is 20 times slower, and a window of 256 takes 17 GB in onnxruntime."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The model to measure.

    Attributes:
        preset: preset with the same network, for the yardstick; None if unknown.
        why_no_preset: why the preset is unknown.
    """

    path: Path
    spec: ModelSpec
    preset: str | None
    why_no_preset: str = ""

    def multiply_adds(self, window: int) -> int:
        """Return the multiply-adds of the network on a window of `window` x `window` LR pixels."""
        shape = (1, len(self.spec.bands), window, window)
        return multiply_adds(onnx.load(self.path), shape)


def benchmark(
    model: str | Path = DEFAULT_MODEL,
    *,
    full: bool = False,
    size: tuple[int, int] | None = None,
    quick: bool = False,
    devices: Sequence[str] | None = None,
    repeats: int = REPEATS,
    on_step: Callable[[str], None] = lambda _: None,
) -> Benchmark:
    """Measure a model on this machine.

    It starts processes, so scripts must call it below ``if __name__ == "__main__":``.

    Args:
        model: a shipped model's name or a model file.
        full: measure the paper's network instead, with random weights and the bands and
            classes of `model`; needs PyTorch.
        size: LR rows and columns of the synthetic scene for the whole command.
        quick: use smaller windows and a smaller scene.
        devices: devices to measure, where available; None for all.
        repeats: runs of everything, in turn.
        on_step: called with a few words before each step.

    Raises:
        ModelError: the model is unknown or its file is invalid.
        MissingExtraError: the full network needs PyTorch.
        DeviceError: no device is available.
        GeosrsegError: the command failed.
    """
    if full:
        chosen = QUICK_FULL_SIZE if quick else FULL_SIZE
    else:
        chosen = QUICK_MODEL_SIZE if quick else MODEL_SIZE
    rows, cols = size or chosen.scene
    date, machine = datetime.now(UTC).isoformat(timespec="seconds"), describe_machine()
    offered, missing = _offered(DEVICES.names if devices is None else devices)
    with tempfile.TemporaryDirectory(prefix="geosrseg-") as name:
        folder = Path(name)
        on_step("make the network of the yardstick")
        if full:
            subject = make_full(model, folder, window=chosen.window)
        else:
            subject = find_subject(model, folder)
        spec = subject.spec
        window = round_up(min(chosen.window, spec.window_size), spec.multiple)
        kinds = {kind_of(device) for device, _ in offered}
        contestants = [
            *products((kind_of(device), precision) for device, precision in offered),
            *networks(subject.path, offered, window=window),
        ]
        if subject.preset is None:
            missing[YARDSTICK] = subject.why_no_preset
        else:
            contestants += yardsticks(subject.preset, spec, kinds, window=window)
        results, not_loaded = run_in_turn(contestants, repeats=repeats, on_step=on_step)
        scene = folder / "scene.tif"
        write_synthetic_scene(
            scene, height=rows, width=cols, bands=spec.bands, normalization=spec.normalization
        )
        ran = [each for each in offered if " ".join(each) not in not_loaded]
        commands = _run_commands(subject, scene, ran, repeats=repeats, on_step=on_step)
        return Benchmark(
            date=date,
            machine=machine,
            model=f"{spec.name} {spec.version}",
            upscale_factor=spec.upscale_factor,
            window=window,
            multiply_adds=subject.multiply_adds(window),
            scene=(rows, cols),
            products=tuple(each for each in results if isinstance(each, ProductResult)),
            networks=tuple(each for each in results if isinstance(each, NetworkResult)),
            commands=commands,
            missing=missing | not_loaded,
        )


def find_subject(model: str | Path, folder: Path) -> Subject:
    """Read a model. Equal multiply-adds show that it has the network of the slim preset.

    Args:
        model: a shipped model's name or a model file.
        folder: where the preset's network is written.
    """
    file = read_model_file(find_model(model))
    unknown = Subject(file.path, file.spec, None, "PyTorch is not installed")
    if find_spec("torch") is None:
        return unknown
    try:
        slim = _make("slim", file.spec, folder, window=file.spec.window_size)
    except RunError as error:  # it has no form for this upscale factor
        return replace(unknown, why_no_preset=f"the slim preset does not fit: {error}")
    if slim.multiply_adds(slim.spec.multiple) == unknown.multiply_adds(slim.spec.multiple):
        return Subject(file.path, file.spec, slim.preset)
    why = f"{file.spec.name} has not the network of the slim preset, the only one tried"
    return Subject(file.path, file.spec, None, why)


def make_full(model: str | Path, folder: Path, *, window: int) -> Subject:
    """Write the paper's network with random weights and the bands and classes of a model.

    Raises:
        MissingExtraError: PyTorch is not installed.
    """
    if find_spec("torch") is None:
        raise MissingExtraError(
            "the full network is made by PyTorch, which is not installed: run "
            "python -m pip install 'geosrseg[train]'"
        )
    return _make("paper", read_model_file(find_model(model)).spec, folder, window=window)


def _make(preset: str, like: ModelSpec, folder: Path, *, window: int) -> Subject:
    path = folder / f"{preset}.onnx"
    run_apart("export", f"{TORCH}:write_random_model", preset, like, window, path)
    return Subject(path, read_model_file(path).spec, preset)


def _offered(devices: Sequence[str]) -> tuple[list[tuple[str, Precision]], dict[str, str]]:
    """Return the available devices and precisions, and why other devices are missing."""
    reasons = {device: find_device(device).why_not() for device in devices}
    missing = {device: reason for device, reason in reasons.items() if reason is not None}
    offered = [
        (device, precision)
        for device in devices
        if device not in missing
        for precision in find_device(device).precisions()
    ]
    if not offered:
        raise DeviceError("; ".join(missing.values()))
    return offered, missing


def _run_commands(
    subject: Subject,
    scene: Path,
    ran: Sequence[tuple[str, Precision]],
    *,
    repeats: int,
    on_step: Callable[[str], None],
) -> tuple[CommandResult, ...]:
    runs: Mapping[tuple[str, str], list[CommandRun]] = {each: [] for each in ran}
    for turn in range(1, repeats + 1):
        for device, precision in ran:
            on_step(f"predict on {device} {precision}, run {turn} of {repeats}")
            run = run_predict(
                scene,
                scene.with_name("classes.tif"),
                model=subject.path,
                device=device,
                precision=precision,
            )
            runs[device, precision].append(run)
    return tuple(CommandResult(*each, tuple(taken)) for each, taken in runs.items())

"""Checks, measures and trains on a machine with an NVIDIA GPU, in calls of a few minutes.

    python docs/gpu_kit.py check -o gpu
    python docs/gpu_kit.py bench -o gpu
    python docs/gpu_kit.py train -o gpu --minutes 9 -- --dataset CARD.toml --data DIR ...

``check`` compares every GPU path with the CPU and ``bench`` measures their speed. ``train`` runs
`geosrseg reproduce` for a number of minutes: call it again until it is done. The script needs no
network. --cpu and --small run it anywhere, as a test. It works with an installed package and,
with PYTHONPATH set, from a checkout. See docs/gpu.md.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from torch import Tensor

from geosrseg.bench.command import run_predict
from geosrseg.bench.machine import describe_machine
from geosrseg.bench.torch_loads import random_network, write_random_model
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import GeosrsegError
from geosrseg.raster.synthetic_scene import write_synthetic_scene
from geosrseg.runtime.arithmetic import multiply_adds
from geosrseg.runtime.devices.devices import find_device
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import list_models

LANDSAT = 7_700
"""Rows and columns of a whole Landsat scene."""

UNFINISHED = 3
"""Exit code of ``train`` if it needs another call."""

GRACE = 45
"""Seconds for a training to write its last checkpoint."""

TYPES = {"fp32": torch.float32, "tf32": torch.float32, "fp16": torch.float16}


def main(words: list[str] | None = None) -> int:
    """Run one part and return the exit code."""
    words = sys.argv[1:] if words is None else words
    own, rest = words, []
    if "--" in words:
        place = words.index("--")
        own, rest = words[:place], words[place + 1 :]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("part", choices=["check", "bench", "train"])
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the results")
    parser.add_argument(
        "--minutes", type=float, default=9.0, help="minutes of training in this call"
    )
    parser.add_argument("--cpu", action="store_true", help="test the script without a GPU")
    parser.add_argument("--small", action="store_true", help="small windows and scenes")
    given = parser.parse_args(own)
    given.output.mkdir(parents=True, exist_ok=True)
    if not given.cpu and not torch.cuda.is_available():
        print("PyTorch finds no GPU here: use --cpu to try the script", file=sys.stderr)
        return 1
    if given.part == "train":
        return train(given.output, rest, minutes=given.minutes)
    rows = (check if given.part == "check" else bench)(cpu=given.cpu, small=given.small)
    machine, kept = describe(), []
    for row in rows:
        kept.append(row)
        print(json.dumps(row), flush=True)
        text = json.dumps({"machine": machine, "rows": kept}, indent=2) + "\n"
        (given.output / f"{given.part}.json").write_text(text, encoding="utf-8")
    return 1 if any(row.get("passed") is False for row in kept) else 0


def describe() -> dict[str, Any]:
    """Return CPU, GPUs and versions of the machine."""
    machine = describe_machine()
    return {"cpu": machine.cpu, "cores": machine.cores, "gpus": list(machine.gpus)} | {
        "versions": {**machine.versions, "cuda": torch.version.cuda or "none"}
    }


# --- check: GPU against CPU ---------------------------------------------------------------


def check(*, cpu: bool, small: bool) -> Iterator[dict[str, Any]]:
    """Yield a comparison of labels and SR images per GPU path with onnxruntime on the CPU.

    A session of `cuda` or `tensorrt` allows no node on the CPU, so a session that loads proves
    that the whole graph is on the GPU.
    """
    devices = ("openvino",) if cpu else ("cuda", "tensorrt")
    models = list_models()[:1] if small else list_models()
    for model in models:
        with open_session(model.path, device="cpu") as reference:
            for device in devices:
                reason = find_device(device).why_not()
                precisions = () if reason else find_device(device).precisions()
                if reason:
                    yield {"model": model.name, "device": device, "missing": reason}
                for precision in precisions:
                    yield check_session(reference, device, precision, small=small)
    for preset in ("compact",) if small else ("compact", "slim", "paper"):
        yield from check_torch(preset, models[0].path, "cpu" if cpu else "cuda", small=small)


def check_session(
    reference: Session, device: str, precision: str, *, small: bool
) -> dict[str, Any]:
    """Compare one model on one device in one precision."""
    row: dict[str, Any] = {"model": reference.spec.name, "device": device, "precision": precision}
    try:
        with open_session(reference.path, device=device, precision=precision) as session:
            lr = window(reference.spec, small=small)
            expected, got = reference.run_with_sr(lr), session.run_with_sr(lr)
    except GeosrsegError as error:
        return row | {"failed": str(error), "passed": False}
    return row | {"whole_graph_on_it": device != "openvino"} | agreement(expected, got, precision)


def check_torch(preset: str, like: Path, place: str, *, small: bool) -> Iterator[dict[str, Any]]:
    """Compare PyTorch on the GPU, as training runs it, with the model file on the CPU."""
    spec = read_model_file(like).spec
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / f"{preset}.onnx"
        write_random_model(preset, spec, 64, file)
        network = random_network(preset, spec)
        with open_session(file, device="cpu") as reference:
            lr = window(reference.spec, small=small)
            expected = reference.run_with_sr(lr)
    for precision in ("fp32",) if place == "cpu" else ("fp32", "tf32"):
        with torch_precision(precision), torch.inference_mode():
            sr, logits = network.to(place)(torch.from_numpy(lr).to(place))
        got = (logits.softmax(1).float().cpu().numpy(), sr.float().cpu().numpy())
        row = {"model": f"{preset}, random weights", "device": f"torch {place}"}
        yield row | {"precision": precision} | agreement(expected, got, precision)


def agreement(
    expected: tuple[np.ndarray, np.ndarray], got: tuple[np.ndarray, np.ndarray], precision: str
) -> dict[str, Any]:
    """Return the share of equal labels, the largest SR error, and whether fp32 passed."""
    labels = float((expected[0].argmax(1) == got[0].argmax(1)).mean())
    error = float(np.abs(expected[1] - got[1]).max() / np.abs(expected[1]).max())
    row = {"equal_labels": labels, "sr_error": error}
    # Only fp32 must equal the CPU; other precisions are measured, not judged.
    return row | ({"passed": labels >= 0.999 and error <= 1e-3} if precision == "fp32" else {})


def window(spec: ModelSpec, *, small: bool) -> np.ndarray:
    """Return noise in [0, 1], (1, bands, H, W)."""
    multiples = max((32 if small else 128) // spec.multiple, 1)
    side = multiples * spec.multiple
    noise = np.random.default_rng(0).random((1, len(spec.bands), side, side + spec.multiple))
    return noise.astype(np.float32)


# --- bench: speed of networks and command -------------------------------------------------


def bench(*, cpu: bool, small: bool) -> Iterator[dict[str, Any]]:
    """Yield seconds per whole Landsat scene, for networks alone and for the command."""
    place, side = ("cpu", 256 if small else 2048) if cpu else ("cuda", 8192)
    peaks = {name: peak(name, side, place) for name in precisions_of(place)}
    yield {"peak_tflops": {name: value / 1e12 for name, value in peaks.items()}, "on": place}
    models = list_models()[:1] if small else list_models()
    spec = read_model_file(models[0].path).spec
    for preset in ("compact",) if small else ("compact", "slim", "paper"):
        for precision in peaks:
            yield bench_torch(preset, spec, precision, place, peaks[precision], small=small)
    for model in models:
        for device in ("cpu",) if cpu else ("cuda", "tensorrt"):
            yield from bench_command(model.path, device, small=small)


def precisions_of(place: str) -> tuple[str, ...]:
    """Return the precisions in which PyTorch is measured."""
    return ("fp32",) if place == "cpu" else ("fp32", "tf32", "fp16")


def peak(precision: str, side: int, place: str) -> float:
    """Return the operations per second of a matrix product."""
    left = torch.rand(side, side, device=place, dtype=TYPES[precision])
    with torch_precision(precision):
        return 2 * side**3 / seconds(lambda: left @ left, place)


def bench_torch(
    preset: str, spec: ModelSpec, precision: str, place: str, best: float, *, small: bool
) -> dict[str, Any]:
    """Measure a network in PyTorch, channels last: HR pixels per second, share of the peak."""
    side = 32 if small else 256 if preset != "paper" else 128
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        write_random_model(preset, spec, side, file)
        macs = multiply_adds(onnx.load(file), (1, len(spec.bands), side, side))
    network = random_network(preset, spec).to(place, TYPES[precision])
    network = network.to(memory_format=torch.channels_last)
    lr = torch.rand(1, len(spec.bands), side, side, device=place, dtype=TYPES[precision])
    lr = lr.contiguous(memory_format=torch.channels_last)
    with torch_precision(precision), torch.inference_mode():
        taken = seconds(lambda: network(lr)[1], place)
    rate = (side * spec.upscale_factor) ** 2 / taken
    return {
        "network": preset,
        "upscale_factor": spec.upscale_factor,
        "device": f"torch {place}",
        "precision": precision,
        "hr_mpx_per_second": rate / 1e6,
        "share_of_peak": 2 * macs / taken / best,
        "seconds_of_a_landsat_scene": (LANDSAT * spec.upscale_factor) ** 2 / rate,
    }


def bench_command(model: Path, device: str, *, small: bool) -> Iterator[dict[str, Any]]:
    """Measure `geosrseg predict` of a whole synthetic scene."""
    row: dict[str, Any] = {"model": model.stem, "device": device}
    if reason := find_device(device).why_not():
        yield row | {"missing": reason}
        return
    spec, side = read_model_file(model).spec, 96 if small else LANDSAT
    with tempfile.TemporaryDirectory() as folder:
        scene = Path(folder) / "scene.tif"
        write_synthetic_scene(
            scene, height=side, width=side, bands=spec.bands, normalization=spec.normalization
        )
        for precision in find_device(device).precisions():
            done = run_predict(
                scene,
                scene.with_name("map.tif"),
                model=model,
                device=device,
                precision=precision,
            )
            yield row | {
                "precision": precision,
                "scene": side,
                "seconds": done.seconds,
                "network_seconds": done.network_seconds,
            }


@contextmanager
def torch_precision(precision: str) -> Iterator[None]:
    """Allow TF32 in convolutions and products, or forbid it, inside the context."""
    convolutions, products = torch.backends.cudnn, torch.backends.cuda.matmul
    before = convolutions.allow_tf32, products.allow_tf32
    convolutions.allow_tf32 = products.allow_tf32 = precision == "tf32"
    try:
        yield
    finally:
        convolutions.allow_tf32, products.allow_tf32 = before


def seconds(run: Callable[[], Tensor], place: str) -> float:
    """Return the median seconds of several runs, after the first ones."""
    taken = []
    for _ in range(8):
        begin = time.perf_counter()
        run()
        if place == "cuda":
            torch.cuda.synchronize()
        taken.append(time.perf_counter() - begin)
    return float(np.median(taken[3:]))


# --- train: a reproduction, in calls -------------------------------------------------------


def train(output: Path, words: list[str], *, minutes: float) -> int:
    """Run `geosrseg reproduce` for a number of minutes; the next call resumes it."""
    command = [sys.executable, "-m", "geosrseg", "reproduce", *words, "-o", str(output / "all")]
    with (output / "train.log").open("a", encoding="utf-8") as log:
        # In a new process group, so that all its children can be stopped.
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        try:
            code = wait(process, output / "all", until=time.monotonic() + 60 * minutes)
        finally:
            stop(process)
    print((output / "train.log").read_text(encoding="utf-8")[-4000:])
    if code is None:
        print(f"unfinished after {minutes:g} minutes: call it again", file=sys.stderr)
        return UNFINISHED
    return code


def wait(process: subprocess.Popen[bytes], folder: Path, *, until: float) -> int | None:
    """Return the exit code, or None when the time is over; print the progress meanwhile."""
    told = 0.0
    while time.monotonic() < until:
        try:
            return process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            if time.monotonic() - told >= 20:
                told = time.monotonic()
                print(progress(folder), flush=True)
    return None


def progress(folder: Path) -> str:
    """Return one line with the epochs of each run and the number of finished runs."""
    runs = sorted(folder.glob("runs/*"))
    finished = sum((run / "weights.safetensors").is_file() for run in runs)
    epochs = [
        f"{run.name} {len(table.read_text(encoding='utf-8').splitlines()) - 1}"
        for run in runs
        if (table := run / "metrics.csv").is_file()
    ]
    clock = time.strftime("%H:%M:%S")
    return (
        f"{clock} {finished} of {len(runs)} started runs are finished; epochs: {', '.join(epochs)}"
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a running process, and kill its group if it does not end in time."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGINT)
    try:
        process.wait(timeout=GRACE)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


if __name__ == "__main__":
    raise SystemExit(main())

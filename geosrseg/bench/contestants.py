"""Contestants of a benchmark: matrix products, networks and yardsticks, each in its own process."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from geosrseg.bench.loads import PRODUCTS
from geosrseg.bench.process import MeasuredProcess
from geosrseg.bench.result import YARDSTICK, Kind, NetworkResult, ProductResult
from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.core.timing import Timing
from geosrseg.errors import GeosrsegError
from geosrseg.runtime.devices.devices import find_device

SIDES = {("cpu", "fp32"): 2048, ("cpu", "bf16"): 4096, ("cpu", "fp16"): 4096}
LARGEST_SIDE = 8192
"""Rows and columns of the matrices: tenths of a second of work on a CPU, milliseconds on a GPU."""

LOADS = "geosrseg.bench.loads"
TORCH = "geosrseg.bench.torch_loads"  # a name, not an import: PyTorch may be missing


@dataclass(frozen=True, slots=True, eq=False)
class Contestant:
    """A measurement that runs in turn with others.

    Attributes:
        device: device of the network, or library of a matrix product.
        load: see `MeasuredProcess`.
        arguments: arguments of `load`.
        operations: floating-point operations of a matrix product; None for a network.
    """

    device: str
    kind: Kind
    precision: str
    load: str
    arguments: tuple[Any, ...]
    operations: int | None = None

    @property
    def name(self) -> str:
        """Name used in messages."""
        return f"{self.device} {self.precision}{' product' if self.operations else ''}"

    def result(self, timing: Timing, peak_bytes: int | None) -> ProductResult | NetworkResult:
        """Return the measured result."""
        if self.operations:
            return ProductResult(self.device, self.kind, self.precision, self.operations, timing)
        return NetworkResult(self.device, self.kind, self.precision, timing, peak_bytes)


def kind_of(device: str) -> Kind:
    """Return whether a device computes on CPU or GPU."""
    return "gpu" if find_device(device).gpu else "cpu"


def products(wanted: Iterable[tuple[Kind, Precision]]) -> Iterator[Contestant]:
    """Yield the matrix products in each precision, for every library that supports it."""
    for kind, precision in sorted(set(wanted)):
        side = SIDES.get((kind, precision), LARGEST_SIDE)
        once = 2 * side**3
        if kind == "cpu" and precision == "fp32":
            load = f"{LOADS}:load_numpy_product"
            yield Contestant("numpy", kind, precision, load, (side,), once)
        if kind == "cpu" and find_spec("openvino"):
            load = f"{LOADS}:load_openvino_product"
            yield Contestant("openvino", kind, precision, load, (side, precision), PRODUCTS * once)
        if find_spec("torch"):
            place = "cuda" if kind == "gpu" else "cpu"
            load = f"{TORCH}:load_product"
            yield Contestant("torch", kind, precision, load, (side, precision, place), once)


def networks(
    model: Path, offered: Iterable[tuple[str, Precision]], *, window: int
) -> Iterator[Contestant]:
    """Yield the model on each device and in each precision."""
    for device, precision in offered:
        arguments = (str(model), device, precision, window)
        yield Contestant(device, kind_of(device), precision, f"{LOADS}:load_session", arguments)


def yardsticks(
    preset: str, spec: ModelSpec, kinds: Iterable[Kind], *, window: int
) -> Iterator[Contestant]:
    """Yield PyTorch on the CPU, and on the GPU if other contestants use one."""
    for device in ("cpu", "cuda") if "gpu" in kinds else ("cpu",):
        kind: Kind = "cpu" if device == "cpu" else "gpu"
        name = YARDSTICK if device == "cpu" else f"{YARDSTICK} {device}"
        arguments = (preset, spec, window, device)
        yield Contestant(name, kind, "fp32", f"{TORCH}:load_eager", arguments)


def run_in_turn(
    contestants: Sequence[Contestant], *, repeats: int, on_step: Callable[[str], None]
) -> tuple[list[ProductResult | NetworkResult], dict[str, str]]:
    """Run all contestants in turn, A B C A B C.

    Returns:
        The results, and by name why a contestant could not be loaded.
    """
    missing: dict[str, str] = {}
    with ExitStack() as stack:
        running: list[tuple[Contestant, MeasuredProcess, list[float]]] = []
        for contestant in contestants:
            on_step(f"load {contestant.name}")
            try:
                process = MeasuredProcess(contestant.name, contestant.load, *contestant.arguments)
            except GeosrsegError as error:
                missing[contestant.name] = str(error)
                continue
            running.append((contestant, stack.enter_context(process), []))
        for turn in range(1, repeats + 1):
            for contestant, process, seconds in running:
                on_step(f"{contestant.name}, run {turn} of {repeats}")
                seconds.append(process.seconds())
        results = [
            contestant.result(Timing(tuple(seconds)), process.peak_bytes())
            for contestant, process, seconds in running
        ]
    return results, missing

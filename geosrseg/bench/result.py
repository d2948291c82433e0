"""Results of a benchmark, and the figures derived from the measured times."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any, Literal

from geosrseg.bench.command import CommandRun
from geosrseg.bench.machine import Machine
from geosrseg.core.timing import Timing

Kind = Literal["cpu", "gpu"]

YARDSTICK = "pytorch"
"""Name of PyTorch run like the reference code."""


@dataclass(frozen=True, slots=True)
class ProductResult:
    """Matrix products, which show the peak of the machine.

    Attributes:
        operations: floating-point operations of one run.
    """

    library: str
    kind: Kind
    precision: str
    operations: int
    timing: Timing


@dataclass(frozen=True, slots=True)
class NetworkResult:
    """The network alone, on one window.

    Attributes:
        device: as in ``--device``, or the yardstick.
        peak_bytes: peak memory of the process; None if unknown.
    """

    device: str
    kind: Kind
    precision: str
    timing: Timing
    peak_bytes: int | None


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The whole command, on one scene; `device` as in ``--device``."""

    device: str
    precision: str
    runs: tuple[CommandRun, ...]

    @property
    def timing(self) -> Timing:
        """Wall time of the command."""
        return Timing(tuple(run.seconds for run in self.runs))

    @property
    def times_network(self) -> float:
        """Wall time divided by the time inside the network; median of the runs."""
        return median(run.seconds / run.network_seconds for run in self.runs)

    @property
    def peak_bytes(self) -> int | None:
        """Largest peak memory of the runs; None if unknown."""
        known = [run.peak_bytes for run in self.runs if run.peak_bytes is not None]
        return max(known, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """The results of a benchmark.

    Attributes:
        date: start time, ISO 8601.
        model: name and version.
        window: side in LR pixels of the window for the network alone.
        multiply_adds: multiply-adds of the network on that window, see `runtime.arithmetic`.
        scene: LR rows and columns of the scene for the whole command.
        missing: by name, why something was not measured.
    """

    date: str
    machine: Machine
    model: str
    upscale_factor: int
    window: int
    multiply_adds: int
    scene: tuple[int, int]
    products: tuple[ProductResult, ...]
    networks: tuple[NetworkResult, ...]
    commands: tuple[CommandResult, ...]
    missing: Mapping[str, str]

    @property
    def window_pixels(self) -> int:
        """HR pixels of the window."""
        return (self.window * self.upscale_factor) ** 2

    @property
    def scene_pixels(self) -> int:
        """HR pixels of the scene."""
        return self.scene[0] * self.scene[1] * self.upscale_factor**2

    def peak(self, kind: Kind, precision: str) -> float | None:
        """Return the operations per second of the fastest matrix product, by the medians."""
        rates = (
            result.operations / result.timing.median
            for result in self.products
            if (result.kind, result.precision) == (kind, precision)
        )
        return max(rates, default=None)

    def share_of_peak(self, result: NetworkResult) -> float | None:
        """Return the share of the peak that the network reaches; None without a peak."""
        peak = self.peak(result.kind, result.precision)
        return None if peak is None else 2 * self.multiply_adds / result.timing.median / peak

    def times_yardstick(self, pixels_per_second: float) -> float | None:
        """Return the speed relative to PyTorch on the CPU; None if that was not measured."""
        for result in self.networks:
            if result.device == YARDSTICK:
                return pixels_per_second * result.timing.median / self.window_pixels
        return None

    def to_json(self) -> dict[str, Any]:
        """Return all results and derived figures as plain values."""
        return {
            "date": self.date,
            "machine": asdict(self.machine),
            "model": self.model,
            "upscale_factor": self.upscale_factor,
            "window": self.window,
            "multiply_adds_per_hr_pixel": self.multiply_adds / self.window_pixels,
            "scene": list(self.scene),
            "products": [self._product_json(result) for result in self.products],
            "networks": [self._network_json(result) for result in self.networks],
            "commands": [self._command_json(result) for result in self.commands],
            "missing": dict(self.missing),
        }

    def _product_json(self, result: ProductResult) -> dict[str, Any]:
        return {
            "library": result.library,
            "kind": result.kind,
            "precision": result.precision,
            "operations_per_second": result.timing.rates(result.operations),
        }

    def _network_json(self, result: NetworkResult) -> dict[str, Any]:
        rates = result.timing.rates(self.window_pixels)
        return {
            "device": result.device,
            "precision": result.precision,
            "seconds": list(result.timing.seconds),
            "hr_pixels_per_second": rates,
            "times_yardstick": self.times_yardstick(rates["median"]),
            "share_of_peak": self.share_of_peak(result),
            "peak_bytes": result.peak_bytes,
        }

    def _command_json(self, result: CommandResult) -> dict[str, Any]:
        rates = result.timing.rates(self.scene_pixels)
        return {
            "device": result.device,
            "precision": result.precision,
            "seconds": list(result.timing.seconds),
            "network_seconds": [run.network_seconds for run in result.runs],
            "hr_pixels_per_second": rates,
            "times_yardstick": self.times_yardstick(rates["median"]),
            "times_network": result.times_network,
            "peak_bytes": result.peak_bytes,
        }

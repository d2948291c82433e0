"""Prediction: the result of mapping a scene, and the progress of a run."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from geosrseg.core.tiling.windows import WindowPlan
from geosrseg.errors import GeosrsegError
from geosrseg.mapping.summary import MapSummary
from geosrseg.products.areas import Areas

Phase = Literal["reading", "network", "writing", "checking"]
"""Phase of a run. Later strips are read while the network runs: ``reading`` is only the first."""


@dataclass(frozen=True, slots=True)
class Progress:
    """Progress of a prediction.

    Attributes:
        windows_done: windows run or skipped, in this run or the one that it resumes.
        windows_total: windows of the scene.
        resumed: windows among those done that an interrupted run had finished.
        target_pixels: pixels of the class map per window, on average.
        phase: current phase; ``writing`` and ``checking`` occur for each layer.
    """

    windows_done: int
    windows_total: int
    resumed: int
    target_pixels: float
    phase: Phase = "network"


OnProgress = Callable[[Progress], None]


class WindowCounter:
    """Counts windows and reports progress.

    Args:
        missing: strips that this run makes.
        total: windows of the map, or of the part of it that the run belongs to.
        factor: the upscale factor.
    """

    def __init__(
        self,
        plan: WindowPlan,
        on_progress: OnProgress,
        missing: Sequence[range],
        *,
        total: int,
        factor: int,
    ) -> None:
        self.run = 0
        self.skipped = 0
        self._before = max(total - plan.windows_of(missing), 0)
        self._total = self._before + plan.windows_of(missing)
        self._pixels = plan.rows.length * plan.cols.length * factor**2 / len(plan)
        self._report = on_progress
        self.enter("reading")

    def enter(self, phase: Phase) -> None:
        """Report the start of a phase."""
        self._phase: Phase = phase
        self._tell()

    def count(self, usable: bool) -> None:
        """Count a window that was run, or that was skipped because no pixel is usable."""
        self.run += usable
        self.skipped += not usable
        self._tell()

    def _tell(self) -> None:
        done = self._before + self.run + self.skipped
        self._report(Progress(done, self._total, self._before, self._pixels, self._phase))


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Result of mapping a scene.

    Attributes:
        output: path of the class map.
        layers: path of each layer, including the class map.
        model: name and version.
        windows: number of windows run.
        skipped: number of windows without a valid pixel.
        resumed: number of strips that an interrupted run had finished.
        areas: area of each class; None if not requested.
        bad_blocks: number of blocks of the scene that could not be decoded, in this run or the one
            that it resumes.
        network_seconds: time spent in the network; reading, blending and writing run in parallel.
        warnings: warnings for the user.
    """

    output: Path
    layers: Mapping[str, Path]
    model: str
    device: str
    precision: str
    windows: int
    skipped: int
    resumed: int
    areas: Areas | None
    bad_blocks: int
    summary: MapSummary
    network_seconds: float
    warnings: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            **values,
            "output": str(self.output),
            "layers": {name: str(path) for name, path in self.layers.items()},
            "areas": self.areas and self.areas.to_json(),
            "summary": asdict(self.summary),
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome for one scene of a list.

    Attributes:
        scene: path or URL as the user gave it.
        output: path of the map.
        prediction: None if the scene failed or was skipped.
        error: None unless the scene failed.
    """

    scene: str
    output: Path
    prediction: Prediction | None
    error: GeosrsegError | None

    @property
    def state(self) -> str:
        """``done``, ``failed``, or ``skipped`` if the map already existed."""
        if self.error is not None:
            return "failed"
        return "skipped" if self.prediction is None else "done"

    def to_json(self) -> dict[str, Any]:
        """Return the prediction as a dictionary, with the scene, the state and the error."""
        done = {} if self.prediction is None else self.prediction.to_json()
        error = None if self.error is None else str(self.error)
        state = {"output": str(self.output), "state": self.state, "error": error}
        return {"scene": self.scene, **done, **state}

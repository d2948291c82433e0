"""Prediction: what was made of a scene, and how far it is while it is made."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from geosrseg.errors import GeosrsegError
from geosrseg.mapping.summary import MapSummary
from geosrseg.products.areas import Areas

Phase = Literal["reading", "network", "writing", "checking"]
"""What is being done. Strips are read while the network runs: ``reading`` is the first of them."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a prediction is.

    Attributes:
        windows_done: windows run or skipped, in this run or the one that it resumes.
        windows_total: windows of the scene.
        resumed: of those done, the windows that a stopped run had finished.
        target_pixels: pixels of the class map that a window stands for, on average.
        phase: what is being done; ``writing`` and ``checking`` are done for each layer.
    """

    windows_done: int
    windows_total: int
    resumed: int
    target_pixels: float
    phase: Phase = "network"


OnProgress = Callable[[Progress], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What was done.

    Attributes:
        output: the class map.
        layers: the file of each layer, the class map's among them.
        model: name and version.
        device: what the model ran on.
        precision: in which it computed.
        windows: windows run.
        skipped: windows without a valid pixel.
        resumed: strips of rows that a stopped run had finished.
        areas: of each class, where they were asked for.
        bad_blocks: blocks of the scene that this run met and could not decode.
        summary: what the map holds, in shares.
        network_seconds: spent inside the network; reading, blending and writing go on meanwhile.
        warnings: what a user should hear about.
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
        """A plain dictionary."""
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
    """What became of one scene of several.

    Attributes:
        scene: as the user gave it.
        output: its map.
        prediction: what was done; None if it failed or was skipped.
        error: why it failed; None if it did not.
    """

    scene: str
    output: Path
    prediction: Prediction | None
    error: GeosrsegError | None

    @property
    def state(self) -> str:
        """``done``, ``failed``, or ``skipped`` if its map was already there."""
        if self.error is not None:
            return "failed"
        return "skipped" if self.prediction is None else "done"

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary: the prediction's, with the scene, its state and the error."""
        done = {} if self.prediction is None else self.prediction.to_json()
        failed = None if self.error is None else str(self.error)
        said = {"output": str(self.output), "state": self.state, "error": failed}
        return {"scene": self.scene, **done, **said}

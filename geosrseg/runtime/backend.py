"""Backend: a model as one runtime has loaded it, and what loads it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.runtime.contract import Port
from geosrseg.runtime.model.model_file import ModelFile


class Backend(Protocol):
    """A model that one runtime has loaded for one device."""

    @property
    def inputs(self) -> Sequence[Port]: ...
    @property
    def outputs(self) -> Sequence[Port]: ...

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs of these names; several threads may call it at once.

        Raises:
            Exception: whatever the runtime raises, also when it is cancelled.
        """

    def cancel(self) -> None:
        """End the runs that other threads are at, within a layer of the network."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest input that a device takes of a model; None where only memory limits it.

    Attributes:
        window: LR pixels along a side.
        batch: windows at once.
    """

    window: int | None = None
    batch: int | None = None


class Device(Protocol):
    """A runtime and what it runs on: each is a module of this package.

    Attributes:
        MEMORY_FACTOR: how many times the footprint of a network it takes, at most.
    """

    MEMORY_FACTOR: float

    def why_not(self) -> str | None:
        """Why it cannot be used here and what to do about it, or None."""

    def precisions(self) -> tuple[Precision, ...]:
        """The precisions that it has here, the fastest first."""

    def free_memory(self) -> int:
        """Bytes that a model may still take there."""

    def limits(self, spec: ModelSpec) -> Limits:
        """The largest input that it takes of a model: plans keep to it."""

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> Backend:
        """Load a model.

        Raises:
            Exception: whatever the runtime raises.
        """

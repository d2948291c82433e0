"""Device: what runs a model, and the base of those that packages bring."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile


class Backend(Protocol):
    """A model that one runtime has loaded."""

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """The outputs of these names; several threads may call it at once.

        Args:
            outputs: some of ``probabilities`` and ``sr``.
            lr: (N, bands, H, W), the model's input ``lr``.

        Raises:
            Exception: any that the runtime raises, also when it is cancelled.
        """

    def cancel(self) -> None:
        """End the runs of other threads, within a layer of the network where that is possible."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest input that a device takes of a model; None where only memory limits it.

    Attributes:
        window: LR pixels along a side.
        batch: windows at once.
    """

    window: int | None = None
    batch: int | None = None


class Device(ABC):
    """A runtime and what it runs on; made once per process.

    Attributes:
        help: what it is, in a few words for ``--help``.
        gpu: it computes on a GPU, whose driver maps more memory than it takes.
        runs_all: it runs every valid model, so that a failure is a fault of the model.
        memory_factor: how many times the footprint of a network it takes, at most.
        loading_seconds: what loading a model and a run of its smallest window may take.
    """

    help: ClassVar[str] = ""
    gpu: ClassVar[bool] = False
    runs_all: ClassVar[bool] = False
    memory_factor: ClassVar[float] = 2.2
    loading_seconds: ClassVar[float] = 45.0

    def why_not(self) -> str | None:
        """Why it cannot be used here and what to do about it; None where it can."""
        return None

    def precisions(self) -> tuple[Precision, ...]:
        """The precisions that it has here, the fastest first."""
        return ("fp32",)

    def free_memory(self) -> int:
        """Bytes that a model may still take there; those of the host unless overridden."""
        return available_memory()

    def limits(self, spec: ModelSpec) -> Limits:
        """The largest input that it takes of a model; plans keep to it."""
        return Limits()

    @abstractmethod
    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> Backend:
        """Load a model.

        Args:
            file: the model, checked.
            precision: one of `precisions`.
            threads: of the CPU; None takes all cores.

        Raises:
            Exception: any that the runtime raises.
        """

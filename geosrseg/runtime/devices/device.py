"""Device: the base class of all devices, also of those that other packages add."""

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
        """Compute outputs by name; several threads may call it at once.

        Args:
            outputs: one or both of ``probabilities`` and ``sr``.
            lr: (N, bands, H, W), the model's input ``lr``.

        Raises:
            Exception: any error of the runtime, also after `cancel`.
        """

    def cancel(self) -> None:
        """Abort runs in other threads, if possible within a layer of the network."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest input that a device accepts for a model; None if only memory limits it.

    Attributes:
        window: LR pixels along a side.
        batch: windows per run.
    """

    window: int | None = None
    batch: int | None = None


class Device(ABC):
    """A runtime and the hardware that it runs on; made once per process.

    Attributes:
        help: a few words for ``--help``.
        gpu: whether it computes on a GPU, whose driver maps more memory than it takes.
        runs_all: whether it runs every valid model, so that a failure is the model's fault.
        memory_factor: most memory of a run, as a multiple of the network's footprint.
        channel_block: channels to whose multiple the runtime fills up what a convolution gives.
        loading_seconds: time limit for loading a model and running its smallest window.
    """

    help: ClassVar[str] = ""
    gpu: ClassVar[bool] = False
    runs_all: ClassVar[bool] = False
    memory_factor: ClassVar[float] = 2.2
    channel_block: ClassVar[int] = 1
    loading_seconds: ClassVar[float] = 45.0

    def why_not(self) -> str | None:
        """Return why the device cannot be used here, and the remedy; None if it can."""
        return None

    def precisions(self) -> tuple[Precision, ...]:
        """Return the precisions that the device offers here, the fastest first."""
        return ("fp32",)

    def free_memory(self) -> int:
        """Return the bytes that are free for a model; by default those of the host."""
        return available_memory()

    def limits(self, spec: ModelSpec) -> Limits:
        """Return the largest input for a model; plans keep to it."""
        return Limits()

    @abstractmethod
    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> Backend:
        """Load a model.

        Args:
            file: the checked model file.
            precision: one of `precisions`.
            threads: CPU threads; None for one per core.

        Raises:
            Exception: any error of the runtime.
        """

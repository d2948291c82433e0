"""The contract: does a loaded model do what its ModelSpec says?"""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import ModelError

INPUT = "lr"
PROBABILITIES = "probabilities"
SR = "sr"

MAX_TRIAL = 2048
"""Target pixels along a side of the smallest window; SegNet's is 32."""

SUM_TOLERANCE = 1e-3  # float32 and fp16 softmax are closer to 1 than this


class Port(Protocol):
    """An input or output of a model, as the runtime describes it."""

    @property
    def name(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def shape(self) -> Sequence[int | str | None]: ...


def check_ports(inputs: Sequence[Port], outputs: Sequence[Port], spec: ModelSpec) -> None:
    """Check names, types, ranks and channels of a model's inputs and outputs.

    Raises:
        ModelError: they are not those of the ModelSpec.
    """
    if [port.name for port in inputs] != [INPUT]:
        raise ModelError(f"the inputs are {_names(inputs)}: expected {INPUT} alone")
    if {port.name for port in outputs} != {PROBABILITIES, SR}:
        raise ModelError(f"the outputs are {_names(outputs)}: expected {PROBABILITIES} and {SR}")
    channels = {INPUT: len(spec.bands), PROBABILITIES: len(spec.legend), SR: len(spec.bands)}
    for port in (*inputs, *outputs):
        _check_port(port, channels[port.name])


def trial_input(spec: ModelSpec) -> NDArray[np.float32]:
    """The smallest input that shows whether the model scales, batches and classifies.

    Returns:
        (2, bands, multiple, 2 * multiple) in [0, 1].

    Raises:
        ModelError: the smallest window of the ModelSpec is absurd.
    """
    height, width = spec.multiple, 2 * spec.multiple
    if spec.upscale_factor * width > MAX_TRIAL:
        raise ModelError(
            f"windows are multiples of {spec.multiple} pixels with an upscale factor of "
            f"{spec.upscale_factor}: expected a smallest window within {MAX_TRIAL} target pixels"
        )
    shape = (2, len(spec.bands), height, width)
    return np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)


def check_answer(
    lr: NDArray[np.float32],
    probabilities: NDArray[np.float32],
    sr: NDArray[np.float32],
    spec: ModelSpec,
) -> None:
    """Check what a model answered to `lr`.

    Raises:
        ModelError: the sizes are not those of the ModelSpec, or the probabilities are none.
    """
    batch, bands, height, width = lr.shape
    target = (spec.upscale_factor * height, spec.upscale_factor * width)
    for name, array, channels in (
        (PROBABILITIES, probabilities, len(spec.legend)),
        (SR, sr, bands),
    ):
        expected = (batch, channels, *target)
        if array.shape != expected:
            raise ModelError(
                f"{name} has shape {array.shape} for an input of {lr.shape}: the ModelSpec "
                f"says {expected}"
            )
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if not (probabilities.min() >= 0 and np.abs(sums - 1).max() <= SUM_TOLERANCE):
        raise ModelError("the probabilities are not 0 to 1 with a sum of 1: expected a softmax")


def _check_port(port: Port, channels: int) -> None:
    if port.type != "tensor(float)" or len(port.shape) != 4:
        raise ModelError(
            f"{port.name} is a {port.type} of {len(port.shape)} axes: expected float32 of "
            "(N, channels, H, W)"
        )
    batch, stated, *size = port.shape
    if isinstance(stated, int) and stated != channels:
        raise ModelError(f"{port.name} has {stated} channels: the ModelSpec says {channels}")
    if any(isinstance(length, int) for length in (batch, *size)):
        raise ModelError(f"{port.name} has the fixed shape {port.shape}: expected any N, H and W")


def _names(ports: Sequence[Port]) -> str:
    return ", ".join(port.name for port in ports) or "none"

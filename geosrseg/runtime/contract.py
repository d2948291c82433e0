"""Checks whether a loaded model keeps to its ModelSpec."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, ValueInfoProto

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import ModelError

INPUT = "lr"
PROBABILITIES = "probabilities"
SR = "sr"

MAX_TRIAL = 2048
"""Most target pixels along a side of the smallest window; SegNet has 32."""

SUM_TOLERANCE = 1e-3  # float32 and fp16 softmax are closer to 1 than this


def check_ports(graph: GraphProto, spec: ModelSpec) -> None:
    """Check the input that a model declares, and the names of its outputs.

    Raises:
        ModelError: they do not match the ModelSpec.
    """
    weights = {array.name for array in graph.initializer}  # inputs too, in old files
    inputs = [value for value in graph.input if value.name not in weights]
    if [value.name for value in inputs] != [INPUT]:
        raise ModelError(f"the inputs are {_names(inputs)}: expected {INPUT} alone")
    if {value.name for value in graph.output} != {PROBABILITIES, SR}:
        raise ModelError(
            f"the outputs are {_names(graph.output)}: expected {PROBABILITIES} and {SR}"
        )
    kind = inputs[0].type.tensor_type
    shape = [size.dim_value if size.HasField("dim_value") else None for size in kind.shape.dim]
    if kind.elem_type != TensorProto.FLOAT or len(shape) != 4:
        raise ModelError(
            f"{INPUT} is {TensorProto.DataType.Name(kind.elem_type).lower()} of {len(shape)} axes: "
            "expected float of (N, channels, H, W)"
        )
    batch, channels, *size = shape
    if channels not in (None, len(spec.bands)):
        raise ModelError(f"{INPUT} has {channels} channels: the ModelSpec says {len(spec.bands)}")
    if any(length is not None for length in (batch, *size)):
        raise ModelError(f"{INPUT} has the fixed shape {shape}: expected any N, H and W")


def trial_input(spec: ModelSpec) -> NDArray[np.float32]:
    """Make the smallest input that shows whether the model scales, batches and classifies.

    Returns:
        (2, bands, multiple, 2 * multiple) in [0, 1].

    Raises:
        ModelError: the smallest window of the ModelSpec is too large.
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
    """Check a model's outputs for the input `lr`.

    Raises:
        ModelError: the sizes do not match the ModelSpec, or the values are not probabilities.
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
        if array.dtype != np.float32:
            raise ModelError(f"{name} is {array.dtype}: expected float32")
    sums = probabilities.sum(axis=1, dtype=np.float64)
    if not (probabilities.min() >= 0 and np.abs(sums - 1).max() <= SUM_TOLERANCE):
        raise ModelError("the probabilities are not 0 to 1 with a sum of 1: expected a softmax")


def _names(values: Sequence[ValueInfoProto]) -> str:
    return ", ".join(value.name for value in values) or "none"

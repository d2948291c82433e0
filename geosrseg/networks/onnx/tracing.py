"""Writes parts without a registered function as ONNX, by PyTorch's exporter."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from onnx import inliner
from torch.export import Dim

from geosrseg.errors import ModelError
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.onnx.writer import OPSET, GraphWriter
from geosrseg.networks.part import Part

EXAMPLE = (3, 2)
"""Rows and columns of the image for tracing, in units of the part's `multiple`."""


def trace(part: JointNetwork | Part, graph: GraphWriter, x: str) -> list[str]:
    """Write a part with the input image `x`; return the names of its outputs.

    Raises:
        ModelError: the exporter cannot write the part, or needs operators outside the standard.
    """
    rows, cols = (max(size * part.multiple, 32) for size in EXAMPLE)
    example = torch.rand(2, part.bands, rows, cols)
    sizes = {0: Dim("N"), 2: part.multiple * Dim("H"), 3: part.multiple * Dim("W")}
    name = type(part).__name__
    try:
        with _quiet_exporter():
            program = torch.onnx.export(
                part.float().eval(),
                (example,),
                dynamo=True,
                opset_version=OPSET,
                dynamic_shapes=(sizes,),
                verbose=False,
            )
    except Exception as error:  # the exporter's errors have no common base class
        detail = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{name} cannot be written as ONNX by PyTorch's exporter ({detail}): register a "
            "function for it in geosrseg.networks.onnx.layers.emit"
        ) from error
    assert program is not None  # noqa: S101 - only with other arguments
    model = inliner.inline_local_functions(program.model_proto)
    if domains := {node.domain for node in model.graph.node} - {"", "ai.onnx"}:
        raise ModelError(
            f"{name} needs operators of {sorted(domains)[0]}, expected standard ONNX only: "
            "register a function for it in geosrseg.networks.onnx.layers.emit"
        )
    return graph.include(model, x)


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Silence the exporter's log and warnings."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

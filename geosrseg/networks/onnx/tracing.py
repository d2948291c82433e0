"""The ONNX form of a part for which nobody wrote one: what PyTorch's exporter makes of it."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import onnx
import torch
from onnx import inliner
from torch.export import Dim

from geosrseg.errors import ModelError
from geosrseg.networks.onnx.writer import OPSET, GraphWriter
from geosrseg.networks.part import Part

EXAMPLE = (3, 2)
"""Rows and columns of the image that is traced, in multiples of the part's window."""


def trace(part: Part, graph: GraphWriter, x: str) -> str:
    """Write a part that reads the image `x`; the name of its output is returned.

    Raises:
        ModelError: the exporter cannot write it, or not with standard operators alone.
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
    except Exception as error:  # what the exporter raises has no common root
        detail = str(error).strip().partition("\n")[0]
        raise ModelError(
            f"{name} cannot be written as ONNX by PyTorch's exporter ({detail}): register a "
            "function for it in geosrseg.networks.onnx.layers.emit"
        ) from error
    assert program is not None  # noqa: S101 - only with other arguments
    model = inliner.inline_local_functions(program.model_proto)
    _check(model, name)
    return graph.include(model, x)


def _check(model: onnx.ModelProto, name: str) -> None:
    if domains := {node.domain for node in model.graph.node} - {"", "ai.onnx"}:
        raise ModelError(
            f"{name} needs operators of {sorted(domains)[0]}, expected standard ONNX only: "
            "register a function for it in geosrseg.networks.onnx.layers.emit"
        )


@contextmanager
def _quiet_exporter() -> Iterator[None]:
    """Keep back what the exporter says of itself."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)

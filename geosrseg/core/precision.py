"""Number formats in which a network may compute."""

from typing import Literal, get_args

Precision = Literal["fp32", "bf16", "fp16"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""Formats that a device may offer; for int8 see docs/benchmarks.md."""

NOT_OFFERED = {
    "int8": "where int8 is faster than bf16 it costs a point of mean IoU (docs/benchmarks.md): "
    "use `precision` auto"
}
"""Formats that were measured and rejected, with the reason."""

"""Precision: in which number format a network computes."""

from typing import Literal, get_args

Precision = Literal["fp32", "bf16", "fp16"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""Those that a device may offer; int8 is not among them, see docs/benchmarks.md."""

NOT_OFFERED = {
    "int8": "where int8 is faster than bf16 it costs a point of mean IoU (docs/benchmarks.md): "
    "use `precision` auto"
}
"""What was measured and found wanting."""

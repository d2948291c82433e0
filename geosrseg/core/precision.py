"""Precision: in which number format a network computes."""

from typing import Literal, get_args

Precision = Literal["fp32", "bf16", "fp16"]

PRECISIONS: tuple[Precision, ...] = get_args(Precision)
"""Those that a device may offer; int8 is not among them, see docs/benchmarks.md."""

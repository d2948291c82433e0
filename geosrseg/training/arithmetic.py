"""Arithmetic of a training: as it was asked for, or the fastest that the hardware multiplies."""

from collections.abc import Mapping
from typing import get_args

import torch

from geosrseg.core.precision import Precision
from geosrseg.errors import RunError

BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
"""Of a CPU that multiplies bf16 (x86, x86 with tiles, ARM); any other only emulates it, at a
sixth of the speed of fp32."""


def choose_arithmetic(wanted: str) -> Precision:
    """The precision of this name, or for ``auto`` bf16 where the hardware multiplies it.

    Raises:
        RunError: there is no such precision.
    """
    for precision in get_args(Precision):
        if precision == wanted:
            return precision
    if wanted != "auto":
        names = ", ".join(("auto", *get_args(Precision)))
        raise RunError(f"--precision {wanted}: expected one of {names}")
    return "bf16" if multiplies_bf16() else "fp32"


def multiplies_bf16() -> bool:
    """Whether the device that Lightning would take multiplies bf16 in hardware."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if torch.backends.mps.is_available():
        return False
    # PyTorch 2.10 has no such function: fp32 is right everywhere.
    flags: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(flags.get(name) for name in BF16_FLAGS)

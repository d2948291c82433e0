"""Arithmetic of a training: a precision by name, or the fastest that the hardware supports."""

from collections.abc import Mapping
from typing import get_args

import torch

from geosrseg.core.precision import Precision
from geosrseg.errors import RunError

BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")
"""Flags of CPUs that multiply bf16 (x86, x86 with tiles, ARM); others emulate it, at a sixth of
the speed of fp32."""


def choose_arithmetic(wanted: str, place: str) -> Precision:
    """Choose a precision by name, or for ``auto`` bf16 if the hardware multiplies it, else fp32.

    Args:
        wanted: name of the precision, or ``auto``.
        place: device: ``cpu``, ``cuda`` or ``mps``.

    Raises:
        RunError: there is no such precision.
    """
    for precision in get_args(Precision):
        if precision == wanted:
            return precision
    if wanted != "auto":
        names = ", ".join(("auto", *get_args(Precision)))
        raise RunError(f"--precision {wanted}: expected one of {names}")
    return "bf16" if multiplies_bf16(place) else "fp32"


def multiplies_bf16(place: str) -> bool:
    """Whether a device multiplies bf16 in hardware."""
    if place == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if place == "mps":
        return False
    # PyTorch 2.10 lacks this function; fp32 is then the safe choice.
    flags: Mapping[str, object] = getattr(torch.cpu, "get_capabilities", dict)()
    return any(flags.get(name) for name in BF16_FLAGS)

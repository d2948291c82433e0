"""Pickles: loads PyTorch files without running code that they may contain."""

from pathlib import Path
from typing import Any

import torch
from torch.torch_version import TorchVersion

from geosrseg.errors import RunError
from geosrseg.regular_file import check_regular

SAFE_TORCH = "2.10"
"""First version whose ``weights_only`` is safe (CVE-2025-32434, CVE-2026-24747)."""


def load_pickle(path: Path) -> Any:
    """Load only the tensors and plain values of a PyTorch file, onto the CPU.

    Raises:
        RunError: this PyTorch cannot read the file safely.
        OSError: the path is not a regular file.
        Exception: any error that PyTorch raises for a broken file; there is no common base class.
    """
    if TorchVersion(torch.__version__) < SAFE_TORCH:
        raise RunError(
            f"{path} is a pickle, which PyTorch {torch.__version__} does not load safely: "
            f"install PyTorch {SAFE_TORCH} or newer, or use a .safetensors file"
        )
    check_regular(path)
    return torch.load(path, map_location="cpu", weights_only=True)

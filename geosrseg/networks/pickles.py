"""Pickles of others: PyTorch's files, which can run code where PyTorch is too old."""

from pathlib import Path
from typing import Any

import torch
from torch.torch_version import TorchVersion

from geosrseg.errors import RunError
from geosrseg.regular_file import check_regular

SAFE_TORCH = "2.10"
"""Before it, ``weights_only`` could be got round (CVE-2025-32434, CVE-2026-24747)."""


def load_pickle(path: Path) -> Any:
    """Load the tensors and plain values of a PyTorch file onto the CPU, and nothing else.

    Raises:
        RunError: this PyTorch cannot read it safely.
        OSError: it is no regular file.
        Exception: any that PyTorch raises for a broken file; it has no common root.
    """
    if TorchVersion(torch.__version__) < SAFE_TORCH:
        raise RunError(
            f"{path} is a pickle, which PyTorch {torch.__version__} does not load safely: "
            f"install PyTorch {SAFE_TORCH} or newer, or use a .safetensors file"
        )
    check_regular(path)
    return torch.load(path, map_location="cpu", weights_only=True)

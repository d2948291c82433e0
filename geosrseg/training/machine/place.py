"""Place: the device that a training runs on."""

import torch

from geosrseg.errors import DeviceError


def find_place(device: str) -> str:
    """The device of this name, or the fastest there is for ``auto``.

    Raises:
        DeviceError: PyTorch has no such device here.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next((name for name, found in there.items() if found), "cpu")
    if not there.get(device, True):
        raise DeviceError(
            f"`device` {device}: PyTorch finds none here: leave it out, or install a PyTorch for "
            "it and see its driver"
        )
    return device

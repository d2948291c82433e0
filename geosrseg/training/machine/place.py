"""Place: the device that a training runs on."""

import torch

from geosrseg.errors import DeviceError


def find_place(device: str) -> str:
    """Check that a device is available; ``auto`` returns the fastest one.

    Raises:
        DeviceError: PyTorch finds no such device.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next((name for name, found in there.items() if found), "cpu")
    if not there.get(device, True):
        raise DeviceError(
            f"`device` {device}: PyTorch finds none here: omit the option, or check the driver "
            "and install a PyTorch built for this device"
        )
    return device

"""Devices by name: the built-in ones, and those that other packages bring.

A package adds a device by an entry point of the group ``geosrseg.devices`` that names a
subclass of `Device`. Its name is what ``--device`` takes.
"""

from functools import cache
from typing import TYPE_CHECKING

from geosrseg.errors import DeviceError
from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.runtime.devices.device import Device

_ROOM = "geosrseg.runtime.devices"

DEVICES: "Registry[type[Device]]" = Registry(
    "geosrseg.devices",
    "device",
    {
        "cuda": Offer(target=f"{_ROOM}.cuda:Cuda", help="an NVIDIA GPU"),
        "tensorrt": Offer(
            target=f"{_ROOM}.tensorrt:TensorRt",
            help="an NVIDIA GPU, after compiling the model once (minutes)",
        ),
        "openvino": Offer(target=f"{_ROOM}.openvino:OpenVino", help="an x86 CPU"),
        "cpu": Offer(target=f"{_ROOM}.onnxruntime_cpu:OnnxRuntimeCpu", help="any CPU"),
    },
)

AUTO = ("cuda", "openvino", "cpu")
"""What ``auto`` tries, the fastest first; TensorRT spends minutes before the first window, and
what other packages bring is asked for by name."""


def find_device(name: str) -> "Device":
    """The device of this name.

    Raises:
        DeviceError: no device has this name.
        PluginError: its package cannot be imported.
    """
    if name not in DEVICES.names:
        raise DeviceError(f"no device {name!r}: expected one of auto, {', '.join(DEVICES.names)}")
    return _made(DEVICES.load(name))


@cache
def _made(kind: "type[Device]") -> "Device":
    return kind()

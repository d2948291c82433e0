"""The versions that a bug report needs."""

import platform
from importlib.metadata import PackageNotFoundError, version

from geosrseg.version import __version__

PACKAGES = ("onnxruntime-gpu", "onnxruntime", "openvino", "torch")
"""Packages listed if installed; none of them is imported."""


def describe_versions() -> str:
    """One line per version; the first is ``geosrseg VERSION``."""
    import rasterio

    gdal, proj = rasterio.__gdal_version__, rasterio.__proj_version__
    found = {name: _installed(name) for name in PACKAGES}
    return "\n".join(
        [
            f"geosrseg {__version__}",
            f"Python {platform.python_version()} on {platform.platform()}",
            f"rasterio {rasterio.__version__}, GDAL {gdal}, PROJ {proj}",
            *(f"{name} {number}" for name, number in found.items() if number),
        ]
    )


def _installed(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""

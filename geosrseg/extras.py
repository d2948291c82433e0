"""Extras: optional groups of packages, and the error if one is not installed."""

from collections.abc import Iterator
from contextlib import contextmanager

from geosrseg.errors import MissingExtraError

PACKAGES = {
    "cloud": ("obstore",),
    "cpu": ("openvino",),
    "dask": ("distributed",),
    "gis": ("pyarrow", "pyogrio", "pystac", "scipy"),
    "smp": ("segmentation_models_pytorch",),
    "train": (
        "jinja2",
        "lightning",
        "onnxscript",
        "safetensors",
        "scipy",
        "tensorboard",
        "torch",
        "torchmetrics",
    ),
    "xarray": ("rioxarray", "xarray"),
}
"""Modules that each extra installs, as listed in pyproject.toml."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Name the extra to install if an import inside the block fails.

    Raises:
        MissingExtraError: a package of the extra is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name not in PACKAGES[name]:
            raise
        raise MissingExtraError(
            f"the package {error.name} is not installed: run "
            f"python -m pip install 'geosrseg[{name}]'"
        ) from error

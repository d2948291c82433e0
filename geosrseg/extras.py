"""Extras: optional groups of packages, and what to do where one is not installed."""

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
"""Modules that an extra installs, as pyproject.toml lists them."""


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Say which extra to install when an import inside the block fails without it.

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

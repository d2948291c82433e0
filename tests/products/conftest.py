"""The small scenes and maps of the raster tests."""

from tests.raster.conftest import grid, labels, legend, reflectance, write_scene

__all__ = ["grid", "labels", "legend", "reflectance", "write_scene"]

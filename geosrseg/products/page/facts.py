"""Facts: how a map was made, as names and values for its page."""

from collections.abc import Iterator
from datetime import datetime

from rasterio.crs import CRS

from geosrseg.products.product_file import FinishedMap
from geosrseg.raster.landsat.acquisition import acquisition_date


def map_facts(finished: FinishedMap) -> Iterator[tuple[str, str]]:
    """How a map was made, in a reader's order; what is not known is empty."""
    scene, spec, tags = finished.scene, finished.spec, finished.tags
    taken = acquisition_date(scene)
    grid = scene.grid
    yield "Scene", tags["GEOSRSEG_INPUT"]
    yield "Taken on", "" if taken is None else taken.isoformat()
    yield "Bands", ", ".join(scene.band_names)
    yield "Coordinate system", "" if grid.crs is None else _crs_name(grid.crs)
    yield "Pixels", f"{spec.upscale_factor} times finer than the scene's, along each axis"
    yield "Model", tags["GEOSRSEG_MODEL"]
    yield "Model file (SHA-256)", tags["GEOSRSEG_MODEL_SHA256"]
    yield "Trained on", spec.training_data
    yield "Its limits", spec.limits
    yield from finished.options.items()
    yield "Licence", spec.licence
    yield "Made with", tags["TIFFTAG_SOFTWARE"]
    yield "Made on", datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    name = crs.to_dict(projjson=True).get("name", "")
    return name if code is None else f"{name} (EPSG:{code})"

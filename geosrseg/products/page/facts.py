"""Facts: how a map was made, and what its figures mean, for its page."""

from collections.abc import Iterator
from datetime import datetime

from rasterio.crs import CRS

from geosrseg.products.product_file import FinishedMap
from geosrseg.raster.acquisition import acquisition_date


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


def map_cautions(finished: FinishedMap) -> list[str]:
    """What the figures of a map mean, and what they do not."""
    spec, unlike = finished.spec, finished.scene.header.unlike
    said = [f"The scene is unlike what the model learned from: {text}." for text in unlike]
    counted = "Areas are those of the map's pixels, its errors included."
    if any(item.estimate for item in finished.areas.classes):
        counted += (
            f" The adjusted ones allow for the errors that {spec.name} makes on its own validation "
            "pixels; they hold only as far as the errors are the same here."
        )
    elif said and spec.confusion:
        counted += " They are not adjusted: the model's known errors are those of other scenes."
    return [*said, counted]


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    name = crs.to_dict(projjson=True).get("name", "")
    return name if code is None else f"{name} (EPSG:{code})"

"""Facts: how a map was made, and what its figures mean, for its page."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
from rasterio.crs import CRS

from geosrseg.core.legend import NODATA
from geosrseg.products.product_file import FinishedMap
from geosrseg.raster.maps.strips import open_strips


def map_facts(finished: FinishedMap) -> Iterator[tuple[str, str]]:
    """How a map was made, in a reader's order; what is not known is empty."""
    scene, spec, said = finished.scene, finished.spec, finished.tags.get
    taken, factor = finished.taken, said("GEOSRSEG_UPSCALE_FACTOR", "")
    with open_strips(finished.class_map) as strips:
        crs = strips.grid.crs
    yield "Scene", said("GEOSRSEG_INPUT", "")
    yield "Taken on", "" if taken is None else taken.isoformat()
    yield "Bands", ", ".join(scene.band_names) if scene and spec else ""
    yield "Coordinate system", "" if crs is None else _crs_name(crs)
    yield "Pixels", f"{factor} times finer than the scene's, along each axis" if factor else ""
    yield "Model", said("GEOSRSEG_MODEL", "")
    yield "Model file (SHA-256)", said("GEOSRSEG_MODEL_SHA256", "")
    yield "Trained on", spec.training_data if spec else ""
    yield "Its limits", spec.limits if spec else ""
    yield from finished.options.items()
    yield "Made from", said("GEOSRSEG_RELABELLED_FROM", "")
    yield "Licence", said("GEOSRSEG_LICENCE", "")
    yield "Made with", said("TIFFTAG_SOFTWARE", "")
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    yield "Made on" if spec else "Page made on", made


HALF = 50
"""Percent of doubt above which labels are counted apart."""


def map_cautions(finished: FinishedMap) -> list[str]:
    """What the figures of a map mean, and what they do not."""
    spec = finished.spec
    said = [f"The scene is unlike what the model learned from: {text}." for text in finished.unlike]
    counted = "Areas are those of the map's pixels, its errors included."
    if spec and any(item.estimate for item in finished.areas.classes):
        counted += (
            f" The adjusted ones allow for the errors that {spec.name} makes on its own validation "
            "pixels; they hold only as far as the errors are the same here."
        )
    elif spec and said and spec.confusion:
        counted += " They are not adjusted: the model's known errors are those of other scenes."
    return [*said, counted, *_trust(finished)]


def _trust(finished: FinishedMap) -> Iterator[str]:
    """How sure the labels are, and how many are in doubt, where a confidence layer says so."""
    if finished.confidence is None:
        return
    counts = np.zeros((2, NODATA), np.int64)  # of each percent
    with open_strips(finished.class_map, finished.confidence) as strips:
        for strip in strips:
            for known, values in zip(counts, np.asarray(strip.confidence), strict=True):
                known += np.bincount(values[values != NODATA], minlength=NODATA)
    confidence, doubt = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if confidence.any():
        yield f"Labels are {confidence @ np.arange(NODATA):.0f} % sure on average."
    if doubt.any():
        some, much = (100 * doubt[least:].sum() for least in (1, HALF + 1))
        yield (
            f"{some:.1f} % of the map lies near unknown ground (nodata, masked, beyond the scene's "
            f"edge), where the model lacked context; {much:.1f} % so near that the doubt is above "
            f"{HALF} %."
        )


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    name = crs.to_dict(projjson=True).get("name", "")
    return name if code is None else f"{name} (EPSG:{code})"

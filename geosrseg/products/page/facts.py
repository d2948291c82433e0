"""Facts: how a map was made and how to read its figures, for the map's page."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np
from rasterio.crs import CRS

from geosrseg.core.legend import NODATA
from geosrseg.products.product_file import FinishedMap
from geosrseg.raster.maps.strips import open_strips


def map_facts(finished: FinishedMap) -> Iterator[tuple[str, str]]:
    """Names and values of how a map was made; unknown values are empty."""
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
    yield "Limits of the model", spec.limits if spec else ""
    yield from finished.options.items()
    yield "Made from", said("GEOSRSEG_RELABELLED_FROM", "")
    yield "Licence", said("GEOSRSEG_LICENCE", "")
    yield "Made with", said("TIFFTAG_SOFTWARE", "")
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    yield "Made on" if spec else "Page made on", made


HALF = 50
"""Percent of doubt above which labels are counted separately."""


def map_cautions(finished: FinishedMap) -> list[str]:
    """How to read the figures of a map, and their limits."""
    spec = finished.spec
    said = [
        f"The scene differs from the model's training data: {text}." for text in finished.unlike
    ]
    counted = "Areas are counted from the map's pixels, so they include the map's errors."
    if spec and any(item.estimate for item in finished.areas.classes):
        counted += (
            f" Adjusted areas correct for the errors that {spec.name} makes on its own validation "
            "pixels; they hold only if its errors are the same here."
        )
    elif spec and said and spec.confusion:
        counted += " They are not adjusted: the model's known errors are those of other scenes."
    return [*said, counted, *_trust(finished)]


def _trust(finished: FinishedMap) -> Iterator[str]:
    """Mean confidence and the shares in doubt, if the map has a confidence layer."""
    if finished.confidence is None:
        return
    counts = np.zeros((2, NODATA), np.int64)  # of each percent
    with open_strips(finished.class_map, finished.confidence) as strips:
        for strip in strips:
            for known, values in zip(counts, np.asarray(strip.confidence), strict=True):
                known += np.bincount(values[values != NODATA], minlength=NODATA)
    confidence, doubt = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    if confidence.any():
        yield f"The mean confidence of the labels is {confidence @ np.arange(NODATA):.0f} %."
    if doubt.any():
        some, much = (100 * doubt[least:].sum() for least in (1, HALF + 1))
        yield (
            f"{some:.1f} % of the map lies near unknown ground (nodata, masked, beyond the scene's "
            f"edge), where the model lacked context; for {much:.1f} %, the doubt is above {HALF} %."
        )


def _crs_name(crs: CRS) -> str:
    code = crs.to_epsg()
    name = crs.to_dict(projjson=True).get("name", "")
    return name if code is None else f"{name} (EPSG:{code})"

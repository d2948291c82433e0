"""The layers of a map as files: their names, and what a GIS is told of each."""

from collections.abc import Mapping
from pathlib import Path

from rasterio.enums import Resampling

from geosrseg.core.labels import CERTAIN, NEAR_NODATA
from geosrseg.core.legend import NODATA
from geosrseg.core.spec import ModelSpec
from geosrseg.core.sr_encoding import SrEncoding
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.maps.cog import CogProfile
from geosrseg.raster.maps.layers import CLASSES, CONFIDENCE, FRACTIONS, SR


def layer_path(output: Path, layer: str) -> Path:
    """``map.tif`` for the class map, ``map.LAYER.tif`` beside it for every other layer."""
    if layer == CLASSES:
        return output
    return output.with_name(f"{output.stem}.{layer}{output.suffix}")


def layer_profile(
    layer: str,
    spec: ModelSpec,
    *,
    source_grid: Grid,
    encoding: SrEncoding | None,
    halo: int,
    tags: Mapping[str, str],
) -> CogProfile:
    """What the file of a layer is.

    Args:
        layer: one of `raster.maps.layers.LAYERS`.
        spec: of the model.
        source_grid: the scene's grid.
        encoding: of the SR image; needed for that layer only.
        halo: LR pixels within which nodata makes a pixel uncertain.
        tags: what to note in every file.
    """
    target_grid = source_grid.refined(spec.upscale_factor)
    if layer == CONFIDENCE:
        return CogProfile(
            grid=target_grid,
            bands=("confidence",),
            dtype="uint8",
            nodata=NODATA,
            overviews=Resampling.nearest,
            units="percent",
            tags={**tags, **_confidence_tags(spec, halo)},
        )
    if layer == SR and encoding is not None:
        return CogProfile(
            grid=target_grid,
            bands=spec.bands,
            dtype=encoding.dtype,
            nodata=encoding.nodata,
            overviews=Resampling.average,
            scale=encoding.radiometry.scale,
            offset=encoding.radiometry.offset,
            units="reflectance",
            tags=tags,
        )
    if layer == FRACTIONS:
        return CogProfile(
            grid=source_grid,
            bands=spec.legend.names,
            dtype="float32",
            nodata=float("nan"),
            overviews=Resampling.average,
            tags=tags,
        )
    return CogProfile(
        grid=target_grid,
        bands=("class",),
        dtype="uint8",
        nodata=NODATA,
        overviews=Resampling.mode,
        legend=spec.legend,
        tags=tags,
    )


def _confidence_tags(spec: ModelSpec, halo: int) -> dict[str, str]:
    return {
        "GEOSRSEG_CONFIDENCE": f"0 to {CERTAIN}: percent",
        "GEOSRSEG_UNCERTAIN_BY_NODATA": (
            f"{NEAR_NODATA} to {NEAR_NODATA + CERTAIN}: {NEAR_NODATA} + percent, where nodata lies "
            f"within {halo} pixels of the scene"
        ),
        "GEOSRSEG_TEMPERATURE": str(spec.temperature),
    }

"""Collects everything that prevents a model from mapping a scene into one error."""

from collections.abc import Iterator
from pathlib import Path

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import GeosrsegError, SceneError
from geosrseg.raster.reading import Reading
from geosrseg.raster.scene import open_scene
from geosrseg.raster.sensors.recognition import find_product
from geosrseg.raster.storage.location import Location
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import list_models


def with_all_faults(
    error: SceneError,
    scene: str | Path | Location,
    *,
    spec: ModelSpec,
    reading: Reading | None = None,
) -> SceneError:
    """Extend an error on opening a scene by further faults and the models that would fit.

    Opening stops at the first fault, and bands are checked before the radiometry.

    Args:
        error: the first fault.
        scene: see `predict`; for a remote scene, `error` is returned unchanged.
        reading: the options with which opening failed.
    """
    location, reading = Location.of(scene), reading or Reading()
    if location.is_remote or not _is_file(location):
        return error

    def fault(model_bands: tuple[str, ...], chosen: str | None, known: bool) -> str:
        """Return why the scene is refused, optionally assuming a radiometry; empty if it is not."""
        tried = Reading(
            bands=chosen,
            scale=1.0 if known else reading.scale,
            offset=0.0 if known else reading.offset,
            max_pixels=reading.max_pixels,
        )
        try:
            with open_scene(location, model_bands=model_bands, reading=tried):
                return ""
        except GeosrsegError as refusal:
            return str(refusal)

    if not fault(spec.bands, reading.chosen_bands, known=True) or fault(("band",), "1", known=True):
        return error  # its bands fit, or it cannot be read at all
    parts = [str(error)]
    if radiometry := fault(("band",), "1", known=False):
        parts.append(f"besides, {radiometry.removeprefix(f'{location}: ')}")
    fitting = [
        name for name, other in _other_models(spec) if not fault(other.bands, None, known=True)
    ]
    if reading.bands is None and fitting:
        parts.append(f"its bands fit the shipped models {', '.join(fitting)} (`model`)")
    return SceneError("; ".join(parts))


def _is_file(location: Location) -> bool:
    try:
        return find_product(location) is None
    except GeosrsegError:
        return False


def _other_models(spec: ModelSpec) -> Iterator[tuple[str, ModelSpec]]:
    for model in list_models():
        if model.intact and (other := read_model_file(model.path).spec).bands != spec.bands:
            yield model.name, other

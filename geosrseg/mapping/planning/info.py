"""Describes a scene, and checks whether a model can map it."""

from dataclasses import dataclass
from pathlib import Path

from geosrseg.errors import SceneError
from geosrseg.mapping.planning.scene_faults import with_all_faults
from geosrseg.raster.scene import open_scene
from geosrseg.raster.storage.gdal import check_proj
from geosrseg.raster.storage.location import Location
from geosrseg.raster.survey import Survey, survey_scene
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.shipped_models import DEFAULT_MODEL, find_model


@dataclass(frozen=True, slots=True, kw_only=True)
class SceneInfo:
    """A scene as seen by a model.

    Attributes:
        survey: description of the scene.
        model: name and version.
        obstacle: why `predict` would refuse the scene; empty if it would not.
        warnings: assumptions that `predict` would make.
    """

    survey: Survey
    model: str
    upscale_factor: int
    obstacle: str
    warnings: tuple[str, ...]


def info(scene: str | Path, *, model: str | Path = DEFAULT_MODEL) -> SceneInfo:
    """Describe a scene, and check whether a model can map it without further options.

    Args:
        scene: see `predict`.
        model: see `open_model`.

    Raises:
        SceneError: the scene cannot be read.
        ModelError: the model is unknown or its file refused.
    """
    spec = read_model_file(find_model(model)).spec
    check_proj()
    location = Location.of(scene)
    survey = survey_scene(location)
    obstacle, warnings = "", survey.warnings
    try:
        with open_scene(location, model_bands=spec.bands, spec=spec) as opened:
            warnings = opened.warnings
    except SceneError as error:
        whole = with_all_faults(error, location, spec=spec)
        obstacle = str(whole).removeprefix(f"{location}: ")
    return SceneInfo(
        survey=survey,
        model=f"{spec.name} {spec.version}",
        upscale_factor=spec.upscale_factor,
        obstacle=obstacle,
        warnings=warnings,
    )

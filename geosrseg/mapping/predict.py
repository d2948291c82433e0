"""`predict`: the class map of a scene in one call."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, overload

from geosrseg.errors import OutputError
from geosrseg.mapping.map_options import MapOptions
from geosrseg.mapping.model import check_scenes, no_progress, open_model, request_for
from geosrseg.mapping.output_names import default_output
from geosrseg.mapping.prediction import OnProgress, Outcome, Prediction
from geosrseg.raster.sensors.parts import one_part_each


@overload
def predict(
    scene: str | Path,
    output: str | Path | None = None,
    options: MapOptions | None = None,
    **rest: Any,
) -> Prediction: ...
@overload
def predict(
    scene: Sequence[str | Path],
    output: str | Path | None = None,
    options: MapOptions | None = None,
    **rest: Any,
) -> list[Outcome]: ...
def predict(
    scene: str | Path | Sequence[str | Path],
    output: str | Path | None = None,
    options: MapOptions | None = None,
    *,
    model: str | Path | None = None,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    overwrite: bool = False,
    skip_existing: bool = False,
    on_progress: OnProgress = no_progress,
    on_outcome: Callable[[Outcome], None] = no_progress,
    **changes: Any,
) -> Prediction | list[Outcome]:
    """Make the class map of a scene, or of several.

    If interrupted and called again with the same arguments, it resumes and makes the same map.

    Args:
        scene: a GeoTIFF, a product or its STAC item, local or by URL; see
            `geosrseg.raster.scene.open_scene`. Or a list of them.
        output: path of the class map, a Cloud Optimized GeoTIFF, or a folder for several;
            ``SCENE_classes.tif`` beside each scene by default.
        options: options of the map.
        model, device, precision, threads: see `open_model`.
        overwrite: replace existing outputs, and start again if an interrupted run had other
            options.
        skip_existing: skip scenes of a list whose map already exists.
        on_progress: called at the start of each phase and after each window; see `Progress`.
        on_outcome: called when a scene of a list is done or has failed.
        changes: options by their names on the command line, with ``_`` for ``-``:
            ``bands=[3, 2, 1]``, ``mask="cloud"``, ``window_size=256``, ``confidence=True``,
            ``areas="{name}.csv"``, where ``{name}`` is the scene's name. They take precedence
            over `options`.

    Returns:
        The result, or for a list of scenes the outcome of each.

    Warns:
        SceneWarning: an assumption about the scene should be confirmed.

    Raises:
        GeosrsegError: the scene, the model, the device or an output is unusable; see
            `geosrseg.errors`. In a list, a scene that fails does not stop the others.
    """
    wanted = (options or MapOptions()).having(**changes)
    if skip_existing and isinstance(scene, str | Path):
        raise OutputError("`skip_existing` is for a list of scenes: give [scene] and a folder")
    # Outputs are checked before the model is loaded, which takes time.
    if isinstance(scene, str | Path):
        request_for(scene, output or default_output(scene), wanted).check_outputs(
            overwrite=overwrite
        )
    else:
        check_scenes(one_part_each(scene), output, wanted)
    with open_model(model, device=device, precision=precision, threads=threads) as opened:
        if isinstance(scene, str | Path):
            return opened.map(scene, output, wanted, overwrite=overwrite, on_progress=on_progress)
        return opened.map_scenes(
            scene,
            output,
            wanted,
            overwrite=overwrite,
            skip_existing=skip_existing,
            on_progress=on_progress,
            on_outcome=on_outcome,
        )

"""Prediction in one line: a scene and a model in, a class map out."""

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

    Stopped before it has ended, and called again with the same arguments, it resumes; the
    map is the same.

    Args:
        scene: a GeoTIFF, a product or its STAC item, on this machine or behind a URL;
            see `geosrseg.raster.scene.open_scene`. Or a list of them.
        output: the class map, a Cloud Optimized GeoTIFF, or a folder for several;
            ``SCENE_classes.tif`` beside each scene by default.
        options: what is wanted of the map.
        model: a shipped model's name or an ONNX file; the embedded model by default.
        device: see `open_model`.
        precision: see `open_model`.
        threads: see `open_model`.
        overwrite: replace existing outputs, and start again where a stopped run had other
            options.
        skip_existing: of a list, leave the scenes alone whose map is already there.
        on_progress: called when a phase begins and after each window; see `Progress`.
        on_outcome: called when one of several scenes is done or has failed.
        changes: options by the names that the command line gives them, ``-`` written as ``_``:
            ``bands=[3, 2, 1]``, ``mask="cloud"``, ``window_size=256``, ``confidence=True``,
            ``areas="{name}.csv"``, where ``{name}`` is the scene's name. They win over
            those of `options`.

    Returns:
        What was done; of a list of scenes, what became of each.

    Warns:
        SceneWarning: something about the scene was taken for granted.

    Raises:
        GeosrsegError: the scene, the model, the device or an output is unusable; see
            `geosrseg.errors`. Of several scenes, one that fails stops no other.
    """
    wanted = (options or MapOptions()).having(**changes)
    if skip_existing and isinstance(scene, str | Path):
        raise OutputError("`skip_existing` is for a list of scenes: give [scene] and a folder")
    # What would be refused is refused before the model takes its time.
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

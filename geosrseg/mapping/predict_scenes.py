"""Several scenes, one after the other on one session: what fails does not stop the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geosrseg.errors import GeosrsegError, OutputError
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.predict import Prediction, Progress, make_map
from geosrseg.raster.files.location import Location
from geosrseg.runtime.session import Session

SUFFIXES = (".tif", ".tiff", ".tar", ".json")
"""What a scene's name ends in and its map's does not."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scene.

    Attributes:
        scene: as the user gave it.
        output: its map.
        prediction: what was done; None if it failed.
        error: why it failed; None if it did not.
    """

    scene: str
    output: Path
    prediction: Prediction | None
    error: GeosrsegError | None


def map_paths(scenes: Sequence[str | Path], folder: Path) -> list[Path]:
    """A map for each scene, of its name, in a folder.

    Raises:
        OutputError: two scenes have one name, or there is no such folder.
    """
    if not folder.is_dir():
        raise OutputError(f"{folder}: expected a folder for the maps of several scenes: make it")
    paths = [folder / f"{_stem(Location.of(scene).name)}.tif" for scene in scenes]
    twice = [path.name for path in paths if paths.count(path) > 1]
    if twice:
        raise OutputError(f"two scenes would become {twice[0]}: map them into folders of their own")
    return paths


def predict_scenes(
    scenes: Sequence[str | Path],
    folder: Path,
    *,
    template: MapRequest,
    session: Session,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Make the maps of several scenes.

    Args:
        scenes: see `predict`.
        folder: of the maps.
        template: what is wanted of every scene; its scene and output do not matter.
        session: the model.
        overwrite: replace existing maps.
        on_progress: called before the first window of each scene and after each one.

    Yields:
        What became of each scene, in their order.

    Raises:
        OutputError: see `map_paths`.
    """
    for scene, output in zip(scenes, map_paths(scenes, folder), strict=True):
        request = replace(template, scene=scene, output=output)
        shown = str(Location.of(scene))
        try:
            done = make_map(request, session, overwrite=overwrite, on_progress=on_progress)
        except GeosrsegError as error:
            yield Outcome(shown, output, None, error)
        else:
            yield Outcome(shown, output, done, None)


def _stem(name: str) -> str:
    for suffix in SUFFIXES:
        if name.lower().endswith(suffix) and len(name) > len(suffix):
            return name[: -len(suffix)]
    return name

"""Several scenes, one after the other on one session: what fails does not stop the rest."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geosrseg.errors import GeosrsegError
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.output_names import map_paths
from geosrseg.mapping.predict import Prediction, Progress, make_map
from geosrseg.raster.files.location import Location
from geosrseg.runtime.session import Session


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


def predict_scenes(
    scenes: Sequence[str | Path],
    folder: Path | None,
    *,
    template: MapRequest,
    session: Session,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Make the maps of several scenes.

    Args:
        scenes: see `predict`.
        folder: of the maps; without one each lies where `default_output` says.
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

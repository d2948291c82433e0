"""Model: a model file that is loaded once and maps any number of scenes and arrays."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import GeosrsegError, OutputError
from geosrseg.mapping.make_map import make_map
from geosrseg.mapping.map_options import MapOptions
from geosrseg.mapping.map_request import MapRequest
from geosrseg.mapping.output_names import (
    default_output,
    is_made,
    make_folder,
    map_paths,
    scene_name,
)
from geosrseg.mapping.planning.prediction_plan import PredictionPlan, plan_prediction
from geosrseg.mapping.prediction import OnProgress, Outcome, Prediction
from geosrseg.products.products import NAME
from geosrseg.raster.sensors.parts import one_part_each
from geosrseg.raster.storage.location import Location
from geosrseg.runtime.session import Session, open_session
from geosrseg.runtime.shipped_models import DEFAULT_MODEL

if TYPE_CHECKING:
    from geosrseg.mapping.array_map import ArrayMap
    from geosrseg.raster.array_file import Crs, Pixels


def no_progress(_: object) -> None:
    """Ignore a report."""


class Model:
    """A loaded model. Made by `open_model`; closing it frees its memory.

    Methods take `MapOptions`, single options by their names on the command line, or both;
    single options take precedence:
    ``model.map(scene, output, bands=[3, 2, 1], confidence=True)``.
    """

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def spec(self) -> ModelSpec:
        """The description in the model file: bands, upscale factor, legend, limits."""
        return self._session.spec

    @property
    def session(self) -> Session:
        return self._session

    @property
    def device(self) -> str:
        return self._session.device

    @property
    def precision(self) -> str:
        """``fp32``, ``bf16`` or ``fp16``."""
        return self._session.precision

    def map(
        self,
        scene: str | Path,
        output: str | Path | None = None,
        options: MapOptions | None = None,
        *,
        overwrite: bool = False,
        on_progress: OnProgress = no_progress,
        **changes: Any,
    ) -> Prediction:
        """Make the class map of a scene; see `predict`.

        Raises:
            GeosrsegError: the scene, an option or an output is unusable.
        """
        request = request_for(scene, output or default_output(scene), options, **changes)
        request.check_outputs(overwrite=overwrite)
        return make_map(request, self._session, overwrite=overwrite, on_progress=on_progress)

    def map_scenes(
        self,
        scenes: Sequence[str | Path],
        folder: str | Path | None = None,
        options: MapOptions | None = None,
        *,
        overwrite: bool = False,
        skip_existing: bool = False,
        on_progress: OnProgress = no_progress,
        on_outcome: Callable[[Outcome], None] = no_progress,
        **changes: Any,
    ) -> list[Outcome]:
        """Make the map of each scene, named after it; if one fails, the others continue.

        Args:
            scenes: see `predict`; several files of one product count as one scene.
            folder: folder of the maps, created if missing; by default each map is
                ``SCENE_classes.tif`` beside its scene.
            options: options of every map; ``{name}`` in the path of a product file is the
                scene's name.
            overwrite: replace existing maps.
            skip_existing: skip scenes whose map already exists.
            on_progress: called at the start of each phase of a scene and after each window.
            on_outcome: called when a scene is done or has failed.
            changes: options by their names.

        Raises:
            GeosrsegError: an option or the folder is unusable, or two maps would have the same
                name.
        """
        wanted = (options or MapOptions()).having(**changes)
        scenes = one_part_each(scenes)
        check_scenes(scenes, folder, wanted)
        if overwrite and skip_existing:
            raise OutputError("`skip_existing` and `overwrite` exclude each other: leave one out")
        outputs = map_paths(scenes, folder)
        if folder is not None:
            make_folder(Path(folder))
        outcomes = []
        for scene, output in zip(scenes, outputs, strict=True):
            done, failed = None, None
            try:
                if not (skip_existing and is_made(output)):
                    done = self.map(
                        scene, output, wanted, overwrite=overwrite, on_progress=on_progress
                    )
            except GeosrsegError as error:
                failed = error
            outcome = Outcome(str(Location.of(scene)), output, done, failed)
            outcomes.append(outcome)
            on_outcome(outcome)
        return outcomes

    def plan(
        self, scene: str | Path, options: MapOptions | None = None, **changes: Any
    ) -> PredictionPlan:
        """Estimate what mapping a scene would cost. Runs two windows and writes nothing.

        Raises:
            GeosrsegError: mapping the scene would fail.
        """
        return plan_prediction(request_for(scene, None, options, **changes), self._session)

    def map_array(
        self,
        array: "Pixels",
        options: MapOptions | None = None,
        *,
        transform: Any = None,
        crs: "Crs" = None,
        nodata: float | None = None,
        band_names: Sequence[str] = (),
        on_progress: OnProgress = no_progress,
        **changes: Any,
    ) -> "ArrayMap":
        """Make the class map of an array in memory, with the labels that a file would get.

        Args:
            array: (bands, rows, cols), or (rows, cols) for one band: a NumPy array, a masked
                array, or an xarray DataArray, which supplies the next four arguments in
                rioxarray's form.
            options: options of the map; the layer ``confidence`` by default.
            transform: pixel to ground, an Affine or its six numbers.
            crs: any CRS that rasterio reads.
            nodata: the number that marks missing pixels.
            band_names: one name per band, to find the model's bands.
            on_progress: called at the start of each phase and after each window.
            changes: options by their names.

        Raises:
            GeosrsegError: the array or an option is unusable, or the map does not fit into
                memory.
        """
        from geosrseg.mapping.array_map import map_array_file
        from geosrseg.raster.array_file import array_file

        wanted = (options or MapOptions(layers=["confidence"])).having(**changes)
        with array_file(
            array, transform=transform, crs=crs, nodata=nodata, band_names=band_names
        ) as location:
            return map_array_file(location, wanted, self._session, on_progress=on_progress)

    def close(self) -> None:
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_model(
    model: str | Path | None = None,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Model:
    """Load a model to map any number of scenes.

    Args:
        model: a shipped model's name, an ONNX file or an address (see `ModelAddress`); the
            embedded model by default.
        device: name of the device; ``auto`` is the first of CUDA, OpenVINO and the CPU that
            works.
        precision: ``fp32``, ``bf16`` or ``fp16``; ``auto`` is the fastest that device and
            model allow.
        threads: CPU threads; one per core by default.

    Raises:
        ModelError: the model is unknown, or its file is refused.
        DeviceError: the device or the precision cannot be used here.
    """
    return Model(
        open_session(model or DEFAULT_MODEL, device=device, precision=precision, threads=threads)
    )


def request_for(
    scene: str | Path,
    output: str | Path | None,
    options: MapOptions | None = None,
    **changes: Any,
) -> MapRequest:
    """Make a request from options and changes to them.

    Raises:
        GeosrsegError: an option is unusable.
    """
    if not isinstance(scene, str | Path):
        raise TypeError(f"a scene is a path or a URL, got {type(scene).__name__}")
    wanted = (options or MapOptions()).having(**changes)
    return MapRequest(
        scene=scene,
        output=None if output is None else Path(output),
        options=replace(wanted, products=wanted.products.named(scene_name(scene))),
    )


def check_scenes(
    scenes: Sequence[str | Path], folder: str | Path | None, options: MapOptions
) -> None:
    """Check the outputs of several scenes before a model is loaded.

    Raises:
        OutputError: two scenes would have the same product file; see `map_paths` for the maps.
    """
    products = options.products
    for name, path in products.files.items():
        if len(scenes) > 1 and NAME not in str(path):
            raise OutputError(
                f"`{name}` {path} is one file, but there are {len(scenes)} scenes: write {NAME} in "
                "it for the name of each scene"
            )
    made = Counter(
        path for scene in scenes for path in products.named(scene_name(scene)).files.values()
    )
    for path, times in made.items():
        if times > 1:
            raise OutputError(f"{path} would be made {times} times: rename a scene or the file")
    map_paths(scenes, folder)

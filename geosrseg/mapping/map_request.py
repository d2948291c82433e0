"""MapRequest: a scene, the output, and the options of its map."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geosrseg.mapping.layers.layers import LAYERS, layer_path
from geosrseg.mapping.map_options import MapOptions
from geosrseg.products.writing import check_products
from geosrseg.raster.maps import style
from geosrseg.raster.maps.cog import check_cog
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.storage.location import Location
from geosrseg.raster.storage.publication import check_output, open_drafts


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRequest:
    """A request for the map of one scene.

    Attributes:
        scene: see `geosrseg.raster.scene.open_scene`.
        output: path of the class map; None if no file is written.
    """

    scene: str | Path | Location
    output: Path | None = None
    options: MapOptions = field(default_factory=MapOptions)

    @property
    def paths(self) -> Mapping[str, Path]:
        """Path of each layer's file; empty without an output."""
        if self.output is None:
            return {}
        return {layer: layer_path(self.output, layer) for layer in self.options.layers}

    @property
    def files(self) -> list[Path]:
        """Paths of all files to write: layers, their styles and products."""
        styles = [file for item in self.paths.items() for file in _styles(*item)]
        return [*self.paths.values(), *styles, *self.options.products.files.values()]

    @property
    def other_layers(self) -> list[Path]:
        """Paths of the layers that were not requested, and of their styles."""
        if self.output is None:
            return []
        others = [name for name in LAYERS.names if name not in self.options.layers]
        layers = {name: layer_path(self.output, name) for name in others}
        return [*layers.values(), *(file for item in layers.items() for file in _styles(*item))]

    def check_outputs(self, *, overwrite: bool, own: Collection[Path] | None = None) -> None:
        """Check before the work starts that every output can be written.

        Args:
            overwrite: whether any file may be replaced.
            own: files left by an interrupted run of this request, which may be replaced too; by
                default all that its store names.

        Raises:
            OutputError: a file exists or cannot be written.
            MissingExtraError: a package that a product needs is not installed.
        """
        if self.output is None:
            return
        own = names_in_store(self.output) if own is None else own

        def replaced(path: Path) -> bool:
            return overwrite or path.absolute() in own

        for layer, path in self.paths.items():
            check_cog(path, overwrite=replaced(path))
            for sidecar in _styles(layer, path):
                check_output(sidecar, suffixes=style.SUFFIXES, overwrite=replaced(sidecar))
        with open_drafts(self.output):
            pass  # the folder is writable
        check_products(self.options.products, replaced=replaced)


def _styles(layer: str, path: Path) -> Sequence[Path]:
    """Return the paths of a layer's style files, if it has any."""
    kind = LAYERS.load(layer)
    if kind.styled:
        return style.style_paths(path)
    return () if kind.ramp is None else (style.ramp_path(path),)

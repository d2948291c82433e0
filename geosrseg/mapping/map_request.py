"""MapRequest: a scene, an output, and what is wanted of the map."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geosrseg.mapping.layers.layers import LAYERS, layer_path
from geosrseg.mapping.map_options import MapOptions
from geosrseg.products.writing import check_products
from geosrseg.raster.files.location import Location
from geosrseg.raster.files.publication import check_output
from geosrseg.raster.maps import style
from geosrseg.raster.maps.cog import check_cog
from geosrseg.raster.maps.row_store import was_publishing


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRequest:
    """A request for the map of one scene.

    Attributes:
        scene: see `geosrseg.raster.scene.open_scene`.
        output: the class map; None where none is to be written.
        options: what is wanted of it.
    """

    scene: str | Path | Location
    output: Path | None = None
    options: MapOptions = field(default_factory=MapOptions)

    @property
    def paths(self) -> Mapping[str, Path]:
        """The file of each layer."""
        if self.output is None:
            return {}
        return {layer: layer_path(self.output, layer) for layer in self.options.layers}

    @property
    def files(self) -> list[Path]:
        """Every file that is named here: layers and products."""
        return [*self.paths.values(), *self.options.products.files.values()]

    def check_outputs(self, *, overwrite: bool) -> None:
        """Refuse before hours of work what would be refused after them.

        What a run has left that was stopped while it published is its own, and replaced.

        Raises:
            OutputError: a file cannot be written.
            MissingExtraError: a package that a product needs is not installed.
        """
        overwrite = overwrite or (self.output is not None and was_publishing(self.output))
        for layer, path in self.paths.items():
            check_cog(path, overwrite=overwrite)
            if LAYERS.load(layer).styled:
                for sidecar in style.style_paths(path):
                    check_output(sidecar, suffixes=style.SUFFIXES, overwrite=overwrite)
        check_products(self.options.products, overwrite=overwrite)

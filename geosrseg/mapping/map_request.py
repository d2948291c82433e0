"""MapRequest: what a map is made of and what is wanted of it, as the user says it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geosrseg.mapping.layers import layer_path
from geosrseg.mapping.scene_plan import Seams
from geosrseg.products.products import Products
from geosrseg.raster.files.publication import open_drafts
from geosrseg.raster.maps.cog import check_cog
from geosrseg.raster.maps.layers import CLASSES, CONFIDENCE, FRACTIONS, SR
from geosrseg.raster.maps.row_store import names_in_store
from geosrseg.raster.maps.style import style_paths
from geosrseg.raster.scene import MAX_PIXELS


@dataclass(frozen=True, slots=True, kw_only=True)
class MapRequest:
    """A request for the map of one scene; see `geosrseg.predict` for what each value means."""

    scene: str | Path
    output: Path
    bands: str | None = None
    scale: float | None = None
    offset: float | None = None
    nodata: tuple[float, ...] = ()
    mask: tuple[str, ...] = ()
    aoi: str | Path | None = None
    any_resolution: bool = False
    seams: Seams = "blend"
    overlap: int | None = None
    window_size: int | None = None
    batch: int = 1
    max_memory: int | None = None
    confidence: bool = False
    sr: bool = False
    fractions: bool = False
    max_pixels: int = MAX_PIXELS
    skip_bad_blocks: bool = False
    products: Products = field(default_factory=Products)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that are wanted, of `raster.maps.layers.LAYERS`."""
        asked = ((CONFIDENCE, self.confidence), (SR, self.sr), (FRACTIONS, self.fractions))
        return (CLASSES, *(layer for layer, wanted in asked if wanted))

    @property
    def paths(self) -> Mapping[str, Path]:
        """The file of each layer."""
        return {layer: layer_path(self.output, layer) for layer in self.layers}

    def files(self) -> list[Path]:
        """Every file that is asked for, and the styles, which come with every map."""
        return [*self.paths.values(), *style_paths(self.output), *self.products.files()]

    def check_outputs(self, *, overwrite: bool, own: Collection[Path] | None = None) -> None:
        """Refuse before hours of work what would be refused after them.

        Args:
            overwrite: any file may be replaced.
            own: files that a stopped run of this request has left, which are replaced too;
                all that its store names by default, until its manifest is known.

        Raises:
            OutputError: a file cannot be written.
            MissingExtraError: a package that a product needs is not installed.
        """
        own = names_in_store(self.output) if own is None else own

        def replaced(path: Path) -> bool:
            return overwrite or path.absolute() in own

        for path in self.paths.values():
            check_cog(path, overwrite=replaced(path))
        with open_drafts(self.output):
            pass  # its folder can be written
        self.products.check(self.output, replaced=replaced)

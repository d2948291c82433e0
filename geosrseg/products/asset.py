"""Asset: the description of a file in a STAC item."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """The description of a file in a STAC item; roles are those of STAC."""

    title: str
    media_type: str = COG
    roles: Sequence[str] = ("data",)


@dataclass(frozen=True, slots=True)
class MapFile:
    """A file that belongs to a map."""

    path: Path
    asset: Asset

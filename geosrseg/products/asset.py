"""Asset: what a STAC item says of a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

COG = "image/tiff; application=geotiff; profile=cloud-optimized"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """What a STAC item says of a file.

    Attributes:
        title: what the file is, for a reader.
        media_type: of its content.
        roles: STAC's names of what it is for.
    """

    title: str
    media_type: str = COG
    roles: Sequence[str] = ("data",)


@dataclass(frozen=True, slots=True)
class MapFile:
    """A file that belongs to a map.

    Attributes:
        asset: its description in a STAC item.
    """

    path: Path
    asset: Asset

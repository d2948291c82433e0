"""What STAC items of maps and of models have in common: classes, licence, checksums."""

import re

from pystac.extensions.classification import Classification

from geosrseg.core.legend import Legend
from geosrseg.products.areas import Areas

SHA256_MULTIHASH = "1220"
"""What stands before a SHA-256 in a multihash: the function and the 32 bytes of its result."""


def classes(legend: Legend, areas: Areas | None = None) -> list[Classification]:
    """A legend as the classification extension has it, with the pixels where they are known."""
    counted = {item.id: item for item in areas.classes} if areas else {}
    return [
        Classification.create(
            value=item.id,
            name=re.sub(r"[^0-9A-Za-z_-]+", "-", item.name).strip("-") or f"class-{item.id}",
            title=item.name,
            color_hint=item.colour[1:].upper(),
            count=counted[item.id].pixels if counted else None,
            percentage=round(counted[item.id].percent, 4) if counted else None,
        )
        for item in legend.classes
    ]


def nodata_class(value: int) -> Classification:
    """The value that is no class."""
    return Classification.create(value=value, name="nodata", title="No data", nodata=True)


def licence_code(licence: str) -> str:
    """A licence as an SPDX identifier if it can be one, such as CC-BY-SA-4.0, else ``other``."""
    code = licence.strip().replace(" ", "-")
    return code if re.fullmatch(r"[\w.+-]+", code) else "other"


def checksum(sha256: str) -> str:
    """A SHA-256 in hexadecimal as ``file:checksum`` wants it."""
    return SHA256_MULTIHASH + sha256

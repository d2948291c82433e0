"""Parts that STAC items of maps and of models share: classes, licence, checksums."""

import re

from pystac.extensions.classification import Classification

from geosrseg.core.legend import Legend
from geosrseg.products.areas import Areas

SHA256_MULTIHASH = "1220"
"""Prefix that turns a SHA-256 into the multihash of ``file:checksum``: the code of the function,
and the 32 bytes of its result."""


def classes(legend: Legend, areas: Areas | None = None) -> list[Classification]:
    """A legend for the classification extension, with pixel counts if areas are given."""
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
    """The nodata value as an entry of the classification extension."""
    return Classification.create(value=value, name="nodata", title="No data", nodata=True)


def licence_code(licence: str) -> str:
    """A licence as an SPDX identifier such as CC-BY-SA-4.0 if possible, else ``other``."""
    code = licence.strip().replace(" ", "-")
    return code if re.fullmatch(r"[\w.+-]+", code) else "other"

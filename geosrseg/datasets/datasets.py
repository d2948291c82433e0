"""Datasets by name: what ``--dataset`` and ``--data`` mean."""

import difflib
from collections.abc import Callable
from pathlib import Path

from geosrseg.datasets.card.card import DatasetCard, read_card
from geosrseg.datasets.named.coffee import read_coffee
from geosrseg.datasets.named.folder_layout import read_folder_layout
from geosrseg.datasets.named.thetford import read_thetford
from geosrseg.datasets.named.vaihingen import read_vaihingen
from geosrseg.errors import DatasetError

NAMED: dict[str, Callable[[Path], DatasetCard]] = {
    "vaihingen": read_vaihingen,
    "thetford": read_thetford,
    "coffee": read_coffee,
}
"""The paper's datasets, each read from a folder with what its distributor ships, or in the
layout of the paper's reference code."""


FOLDER = Path("data")
"""In the current folder: a dataset by name lies in a folder of its name in here."""


def read_dataset(dataset: str | Path, *, data: Path | None = None) -> DatasetCard:
    """Find a dataset.

    Args:
        dataset: a name in `NAMED`, a folder ``train/ train_msk/ ...``, or a card.
        data: where a named dataset lies, ``data/NAME`` by default, and what a card's paths
            are relative to, by default what the card says, or the current folder.

    Raises:
        DatasetError: there is no such dataset, or its data is missing or wrong.
    """
    if str(dataset) in NAMED:
        return NAMED[str(dataset)](data or FOLDER.absolute() / dataset)
    path = Path(dataset)
    if path.is_dir():
        return read_folder_layout(path)
    if path.exists() or path.suffix.lower() == ".toml":
        return read_card(path, data=data)
    close = difflib.get_close_matches(str(dataset).lower(), NAMED, n=1)
    meant = f": did you mean {close[0]}?" if close else ""
    raise DatasetError(
        f"there is no dataset {dataset}, expected {', '.join(NAMED)}, a folder or a card "
        f"CARD.toml{meant}"
    )

"""What ``--dataset`` and ``--data`` mean: a name, a folder, or a card."""

import difflib
from pathlib import Path

from geosrseg.datasets.card.card import DatasetCard, read_card
from geosrseg.datasets.named.datasets import DATASETS, FOLDER
from geosrseg.datasets.named.folder_layout import read_folder_layout
from geosrseg.errors import DatasetError


def read_dataset(dataset: str | Path, *, data: Path | None = None) -> DatasetCard:
    """Find and describe a dataset.

    Args:
        dataset: a name in `DATASETS`, a folder ``train/ train_msk/ ...``, or a card.
        data: folder of a named dataset (default ``data/NAME``), or the folder that a card's
            paths are relative to (default: the card's `folder`, else the current one).

    Raises:
        DatasetError: there is no such dataset, or its data is missing or wrong.
        PluginError: the package that provides it cannot be imported.
    """
    if str(dataset) in DATASETS.names:
        return _read_named(str(dataset), Path(data or FOLDER.absolute() / dataset))
    path = Path(dataset)
    if path.is_dir():
        return read_folder_layout(path)
    if path.exists() or path.suffix.lower() == ".toml":
        return read_card(path, data=data)
    close = difflib.get_close_matches(str(dataset).lower(), DATASETS.names, n=1)
    meant = f": did you mean {close[0]}?" if close else ""
    raise DatasetError(
        f"no dataset {dataset}, expected {', '.join(DATASETS.names)}, a folder or a card "
        f"CARD.toml{meant}"
    )


def _read_named(name: str, folder: Path) -> DatasetCard:
    dataset = DATASETS.load(name)()
    if folder.is_dir():
        return dataset.read(folder)
    if folder.exists():
        raise DatasetError(f"`data` {folder} is a file, expected the folder of the dataset")
    comes = f", which comes from {dataset.source}" if dataset.source else ""
    raise DatasetError(
        f"{name} is read from {folder}, which does not exist: put the data there{comes}; or name "
        "another folder by `data`"
    )

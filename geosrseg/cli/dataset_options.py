"""The options ``--dataset`` and ``--data``, made from the registry of datasets."""

from pathlib import Path

import click

from geosrseg.datasets.named.datasets import DATASETS, FOLDER

_NAMED = ", ".join(f"{name} ({DATASETS.help(name)})" for name in DATASETS.names)

dataset_option = click.option(
    "--dataset",
    metavar="NAME|FOLDER|CARD.toml",
    required=True,
    help=f"{_NAMED}; a folder train/ train_msk/ test/ test_msk/; or a card.",
)

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Folder of a dataset by name, or of a card's paths.  [default: {FOLDER}/NAME, the card's "
    "folder, or the current one]",
)

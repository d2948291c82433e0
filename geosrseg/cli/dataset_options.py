"""The options ``--dataset`` and ``--data``, generated from the registry of datasets."""

from pathlib import Path

import click

from geosrseg.datasets.named.datasets import DATASETS, FOLDER

_NAMED = ", ".join(f"{name} ({DATASETS.help(name)})" for name in DATASETS.names)

dataset_option = click.option(
    "--dataset",
    metavar="NAME|FOLDER|CARD.toml",
    required=True,
    help=f"{_NAMED}; a folder with train/, train_msk/, test/ and test_msk/; or a dataset card.",
)

data_option = click.option(
    "--data",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help=f"Folder of a named dataset, or of the paths in a card.  [default: {FOLDER}/NAME, the "
    "card's folder, or the current one]",
)

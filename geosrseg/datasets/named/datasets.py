"""Datasets by name: those of the paper, and those of other packages.

A package adds a dataset by an entry point of the group ``geosrseg.datasets`` that names a
subclass of `Dataset`. Users choose it with ``--dataset`` and the name of the entry point.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from geosrseg.registry import Offer, Registry

if TYPE_CHECKING:
    from geosrseg.datasets.named.dataset import Dataset

_ROOM = "geosrseg.datasets.named"

DATASETS: "Registry[type[Dataset]]" = Registry(
    "geosrseg.datasets",
    "dataset",
    {
        "vaihingen": Offer(target=f"{_ROOM}.vaihingen:Vaihingen", help="ISPRS, 9 cm"),
        "thetford": Offer(target=f"{_ROOM}.thetford:Thetford", help="IEEE GRSS 2014, 20 cm"),
        "coffee": Offer(target=f"{_ROOM}.coffee:Coffee", help="not released"),
    },
)

FOLDER = Path("data")
"""Folder below the current one in which each named dataset has a folder of its name."""

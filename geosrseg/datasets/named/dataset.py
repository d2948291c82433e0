"""Dataset: one that has a name, and the base of those that packages bring."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from geosrseg.datasets.card.card import DatasetCard


class Dataset(ABC):
    """A dataset that is found by its name.

    Attributes:
        help: what it is, in a few words for ``--help``.
        source: where its data comes from, for the error where its folder is missing.
    """

    help: ClassVar[str] = ""
    source: ClassVar[str] = ""

    @abstractmethod
    def read(self, folder: Path) -> DatasetCard:
        """Describe what lies in a folder.

        Args:
            folder: an existing folder with the data.

        Raises:
            DatasetError: a file is missing or wrong.
        """

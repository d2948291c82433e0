"""Dataset: base class of named datasets, also those of other packages."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from geosrseg.datasets.card.card import DatasetCard


class Dataset(ABC):
    """A dataset that users choose by name.

    Attributes:
        help: short description for ``--help``.
        source: where the data comes from, for the error about a missing folder.
    """

    help: ClassVar[str] = ""
    source: ClassVar[str] = ""

    @abstractmethod
    def read(self, folder: Path) -> DatasetCard:
        """Describe the data in an existing folder.

        Raises:
            DatasetError: a file is missing or wrong.
        """

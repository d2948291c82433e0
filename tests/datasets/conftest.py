"""A small labelled dataset, written as GeoTIFFs."""

import pytest

from geosrseg.datasets.card.card import read_card
from tests.tiny_datasets import write_dataset


@pytest.fixture
def card(tmp_path):
    """A dataset of one scene: 160 x 192 pixels, left half train, right half validation."""
    return read_card(write_dataset(tmp_path), data=tmp_path)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory, monkeypatch):
    """Keep tests out of the user's cache."""
    monkeypatch.delenv("GEOSRSEG_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))

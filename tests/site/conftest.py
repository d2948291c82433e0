import shutil

import pytest

from docs.site import tutorial
from docs.site.build import build


@pytest.fixture(scope="session")
def first_map(tmp_path_factory):
    """The folder of the first tutorial after its commands, with the shipped default model."""
    folder = tmp_path_factory.mktemp("tutorials")
    tutorial.run(tutorial.FIRST, tutorial.start(tutorial.FIRST, folder))
    return folder


@pytest.fixture(scope="session")
def ran(first_map, tmp_path_factory):
    """A folder of all tutorials, each with what its commands made."""
    folder = shutil.copytree(first_map, tmp_path_factory.mktemp("ran") / "all")
    for name in tutorial.names()[1:]:
        tutorial.run(name, tutorial.start(name, folder))
    return folder


@pytest.fixture(scope="session")
def site(ran):
    """The built site."""
    pytest.importorskip("zensical", reason="the extra site is not installed")
    return build(ran=ran)

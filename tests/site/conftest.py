import shutil

import pytest
from filelock import FileLock

from docs.site import tutorial
from docs.site.build import BUILD, build


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
def site(request, testrun_uid, tmp_path_factory):
    """The built site. All workers of pytest-xdist share its folder: the first one builds it."""
    pytest.importorskip("zensical", reason="the extra site is not installed")
    built = tmp_path_factory.getbasetemp().parent / f"site-{testrun_uid}"
    with FileLock(built.with_suffix(".lock")):
        if not built.exists():
            build(ran=request.getfixturevalue("ran"))
            built.touch()
    return BUILD / "site"

import os

import pytest

from geosrseg.regular_file import check_regular, create_new, open_regular, read_regular


@pytest.fixture(params=["pipe", "device", "folder", "none"])
def irregular(request, tmp_path):
    path = tmp_path / "file"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    elif request.param == "folder":
        path.mkdir()
    return path


def test_only_regular_files_are_read(irregular):
    for read in (open_regular, check_regular):
        with pytest.raises(OSError, match=r"not a regular file|No such file"):
            read(irregular)


def test_a_link_to_a_regular_file_is_followed(tmp_path):
    (tmp_path / "a").write_bytes(b"all of it")
    (tmp_path / "b").symlink_to("a")
    assert read_regular(tmp_path / "b", limit=9) == b"all of it"


def test_more_than_the_limit_is_refused(tmp_path):
    (tmp_path / "a").write_bytes(b"all of it")
    with pytest.raises(OSError, match="has more than 8 bytes"):
        read_regular(tmp_path / "a", limit=8)


def test_a_new_file_takes_the_place_of_a_link(tmp_path):
    (tmp_path / "victim").write_text("mine")
    (tmp_path / "draft").symlink_to("victim")
    with create_new(tmp_path / "draft") as file:
        file.write(b"ours")
    assert (tmp_path / "victim").read_text() == "mine"
    assert not (tmp_path / "draft").is_symlink()

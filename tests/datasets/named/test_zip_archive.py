import stat
import warnings
import zipfile

import pytest

from geosrseg.core.user_cache import cache_root
from geosrseg.datasets.cache import make_once
from geosrseg.datasets.named import zip_archive as archive_module
from geosrseg.datasets.named.zip_archive import open_archive
from geosrseg.errors import DatasetError


def write_zip(path, members, *, compression=zipfile.ZIP_DEFLATED):
    """Write (name or ZipInfo, content) pairs."""
    with zipfile.ZipFile(path, "w", compression) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a name given twice
        for name, content in members:
            file.writestr(name, content)
    return path


@pytest.fixture
def zipped(tmp_path):
    return write_zip(tmp_path / "a.zip", [("top/a.tif", b"aaa"), ("b c.tif", b"b"), ("dsm/", b"")])


def test_members_are_unpacked_under_their_names(zipped):
    archive = open_archive(zipped)
    assert [member.filename for member in archive.members] == ["top/a.tif", "b c.tif"]
    folder = archive.unpack(["top/a.tif", "b c.tif"])
    assert cache_root() in folder.parents
    assert (folder / "top" / "a.tif").read_bytes() == b"aaa"
    assert (folder / "b c.tif").read_bytes() == b"b"


def test_only_what_is_asked_for_is_unpacked_and_only_once(zipped):
    archive = open_archive(zipped)
    folder = archive.unpack(["b c.tif"])
    assert [path.name for path in folder.rglob("*")] == ["b c.tif"]
    written = (folder / "b c.tif").stat().st_mtime_ns
    zipped.rename(zipped.with_name("moved.zip"))
    again = open_archive(zipped.with_name("moved.zip")).unpack(["b c.tif"])
    assert again == folder
    assert (folder / "b c.tif").stat().st_mtime_ns == written


def test_another_content_is_another_place(tmp_path, zipped):
    other = write_zip(tmp_path / "other.zip", [("b c.tif", b"B")])
    folder = open_archive(other).unpack(["b c.tif"])
    assert folder != open_archive(zipped).unpack(["b c.tif"])
    assert (folder / "b c.tif").read_bytes() == b"B"


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("/etc/passwd", "leads out of the folder"),
        ("../up.tif", "leads out of the folder"),
        ("top/../../up.tif", "leads out of the folder"),
        ("C:/a.tif", "has a name that some systems"),
        ("top\\..\\a.tif", "has a name that some systems"),
        ("a.tif\0.png", "has a name that some systems"),
    ],
)
def test_a_member_that_leads_elsewhere_is_refused(tmp_path, name, fault):
    path = tmp_path / "a.zip"
    info = zipfile.ZipInfo("x")
    info.filename = name  # like a writer that does not clean names
    write_zip(path, [("good.tif", b"1"), (info, b"2")])
    with pytest.raises(DatasetError, match=f"a.zip is not unpacked: its member .* {fault}"):
        open_archive(path)


def test_a_link_is_refused(tmp_path):
    info = zipfile.ZipInfo("a.tif")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(DatasetError, match=r"'a\.tif' is a link"):
        open_archive(write_zip(tmp_path / "a.zip", [(info, "/etc/passwd")]))


def test_an_encrypted_member_is_refused(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", [("a.tif", b"secret")])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(DatasetError, match="is encrypted: unpack it yourself"):
        open_archive(path)


def test_a_name_given_twice_is_refused(tmp_path):
    path = write_zip(tmp_path / "a.zip", [("a.tif", b"1"), ("A.TIF", b"2")])
    with pytest.raises(DatasetError, match=r"'a\.tif' more than once"):
        open_archive(path)


def test_a_bomb_is_refused(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "a.zip", [("a.tif", bytes(10_000_000))])
    with pytest.raises(DatasetError, match="bytes would become 10000000, expected at most"):
        open_archive(path)
    monkeypatch.setattr(archive_module, "MAX_BYTES", 100)
    plain = write_zip(tmp_path / "b.zip", [("b.tif", bytes(200))], compression=zipfile.ZIP_STORED)
    with pytest.raises(DatasetError, match="200, expected at most 100"):
        open_archive(plain)


def test_members_that_share_their_bytes_are_refused(tmp_path):
    path = write_zip(
        tmp_path / "a.zip",
        [(f"{number}.tif", bytes(1000)) for number in range(3)],
        compression=zipfile.ZIP_STORED,
    )
    content = path.read_bytes()
    start = content.index(b"PK\x01\x02")
    directory = bytearray(content[start:])
    for number in range(3):  # every member shares the bytes of the first
        at = [k for k in range(len(directory)) if directory[k : k + 4] == b"PK\x01\x02"][number]
        directory[at + 42 : at + 46] = bytes(4)
    end = directory.index(b"PK\x05\x06")
    directory[end + 16 : end + 20] = (1030 + 7).to_bytes(4, "little")
    path.write_bytes(content[: 1030 + 7] + directory)
    with pytest.raises(DatasetError, match="bytes would become 3000"):
        open_archive(path)


def test_a_damaged_file_is_said_to_be_damaged_and_leaves_nothing(tmp_path, zipped):
    half = tmp_path / "half.zip"
    half.write_bytes(zipped.read_bytes()[:60])
    with pytest.raises(DatasetError, match="is not a complete zip file"):
        open_archive(half)
    content = zipped.read_bytes().replace(b"PK\x03\x04", b"PK\x03\x05", 1)
    broken = tmp_path / "broken.zip"
    broken.write_bytes(content)
    with pytest.raises(DatasetError, match=r"broken\.zip is damaged"):
        open_archive(broken).unpack(["top/a.tif"])
    assert not cache_root().exists() or not list(cache_root().iterdir())


def test_what_is_made_appears_whole_or_not_at_all(tmp_path):
    def fail(folder):
        (folder / "part").touch()
        raise RuntimeError

    with pytest.raises(RuntimeError):
        make_once("x", fail)
    assert not list(cache_root().iterdir())
    folder = make_once("x", lambda folder: (folder / "whole").touch())
    assert (folder / "whole").exists()
    assert make_once("x", fail) == folder


def test_a_cache_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(DatasetError, match="choose another folder with GEOSRSEG_CACHE"):
        make_once("x", lambda folder: None)

import pickle
from pathlib import Path

import pytest

from geosrseg.raster.storage.location import Location, check_address, without_secrets


@pytest.mark.parametrize(
    ("address", "gdal_name", "name", "shown"),
    [
        ("a b/scene.tif", "a b/scene.tif", "scene.tif", "a b/scene.tif"),
        ("/data/x", "/data/x", "x", "/data/x"),
        (
            "https://me:pw@host:8080/a/s%20c.tif?sig=abc&x=/y#z",
            "/vsicurl/https://me:pw@host:8080/a/s%20c.tif?sig=abc&x=/y#z",
            "s c.tif",
            "https://host:8080/a/s%20c.tif",
        ),
        ("HTTP://host/s.tif", "/vsicurl/HTTP://host/s.tif", "s.tif", "HTTP://host/s.tif"),
        ("s3://bucket/a/b.TIF", "/vsis3/bucket/a/b.TIF", "b.TIF", "s3://bucket/a/b.TIF"),
    ],
)
def test_names(address, gdal_name, name, shown):
    location = Location.of(address)
    assert (location.gdal_name, location.name, str(location)) == (gdal_name, name, shown)
    assert "pw" not in repr(location)
    assert pickle.loads(pickle.dumps(location)) == location


def test_a_member_of_a_tar():
    location = Location("/data/a.tar", "p/b.TIF")
    assert location.gdal_name == "/vsitar/{/data/a.tar}/p/b.TIF"
    assert (location.name, str(location)) == ("b.TIF", "/data/a.tar/p/b.TIF")
    assert location.path == Path("/data/a.tar")


@pytest.mark.parametrize("text", ["ftp://host/a.tif", "/vsizip/a.zip", "zip://a"])
def test_what_is_no_url_of_ours_is_a_path(text):
    assert not Location.of(text).is_remote
    assert Location.of(text).gdal_name == text


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("file:///data/a.tif", "/data/a.tif"),
        ("FILE://localhost/data/a%20b.tif", "/data/a b.tif"),
        ("file://host/data/a.tif", "file://host/data/a.tif"),
    ],
)
def test_a_file_url_of_this_machine_is_its_path(text, path):
    assert Location.of(text).gdal_name == path


def test_a_file_url_may_be_written_without_escapes(tmp_path):
    (tmp_path / "50%25.tif").touch()
    assert Location.of(f"file://{tmp_path}/50%25.tif").path == tmp_path / "50%25.tif"


def test_a_remote_file_has_no_local_path():
    with pytest.raises(ValueError, match="no local path"):
        Location.of("https://host/a.tif").path  # noqa: B018


def test_secrets_are_taken_out_of_any_text():
    text = "HTTP 403 for '/vsicurl/https://u:p@h/a.tif?token=1' and s3://b/k?x (https://h/#f)."
    assert (
        without_secrets(text) == "HTTP 403 for '/vsicurl/https://h/a.tif' and s3://b/k (https://h/"
    )


@pytest.mark.parametrize(
    "secret", ["geheim", "ge'heim", 'ge"heim', "ge heim", "ge  heim", "a?b#heim"]
)
@pytest.mark.parametrize("message", ["HTTP 403 for {}", "'{}' is not there", "/vsicurl/{}: no"])
def test_a_secret_stays_one_whatever_is_in_it(secret, message):
    location = Location(f"https://me:pw@host/a b.tif?sig={secret}")
    text = " ".join(message.format(location.address).split())
    assert without_secrets(text, location) == message.format("https://host/a b.tif")
    assert "heim" not in f"{location} {location.name} {location!r}"


@pytest.mark.parametrize(
    "address",
    [
        "s3://2130706433:18484?x/y.tif",
        "s3://127.0.0.1/y.tif",
        "s3://me@host/y.tif",
        "s3://a%2Fb/y.tif",
        "s3://a..b/y.tif",
        "s3://bucket#x/y.tif",
        "s3:///y.tif",
        "s3://bückét/y.tif",
        "https://a..b/x.tif",
        "https://[x/x.tif",
        "https://host:port/x.tif",
        "https://host:99999/x.tif",
        "https:///x.tif",
        "https://host/\nx.tif",
        "https://host/\u202ex.tif",
    ],
)
def test_what_is_no_address(address):
    location = Location(address)
    with pytest.raises(ValueError, match=r"is not a bucket|port is invalid|cannot be shown"):
        check_address(location)
    assert isinstance(location.name, str)


@pytest.mark.parametrize(
    "address",
    ["s3://usgs-landsat/a/b.TIF", "s3://my.bucket_1/é.tif", "https://[::1]:8080/é b.tif?x", "/a/b"],
)
def test_what_is_an_address(address):
    check_address(Location(address))

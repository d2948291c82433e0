"""Tests models fetched from addresses, with a local server that may misbehave."""

import hashlib
import io
import json
import subprocess
import sys
from urllib.request import Request

import pytest
from click.testing import CliRunner

from geosrseg.cli.main import main
from geosrseg.core.user_cache import cache_root
from geosrseg.errors import ModelError
from geosrseg.runtime import model_address
from geosrseg.runtime.model.model_file import read_model_file
from geosrseg.runtime.model_address import ModelAddress, is_model_address, shown_address
from geosrseg.runtime.model_cache import ModelCache
from geosrseg.runtime.session import open_session
from geosrseg.runtime.shipped_models import find_model
from tests.range_server import serve

COMMIT = "0123456789abcdef0123456789abcdef01234567"
HUB_PATH = f"owner/repo/resolve/{COMMIT}/nets/tiny.onnx"
PINNED = f"hf://owner/repo/nets/tiny.onnx@{COMMIT}"


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOSRSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "models"


@pytest.fixture
def model(tmp_path, tiny_model):
    """Put a model file at two places of the served folder."""
    path = tiny_model()
    hub = tmp_path / HUB_PATH
    hub.parent.mkdir(parents=True)
    hub.write_bytes(path.read_bytes())
    return path


@pytest.fixture
def server(tmp_path, model, cache, monkeypatch):
    with serve(tmp_path) as running:
        monkeypatch.setattr(model_address, "HUB", running.url)
        monkeypatch.setattr(model_address, "TIMEOUT", 2)
        yield running


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def address(server, model):
    return f"{server.url}/tiny.onnx#sha256={sha256(model.read_bytes())}"


def refused(address: str) -> str:
    with pytest.raises(ModelError) as caught:
        find_model(address)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_model_is_fetched_once_and_found_without_the_server_then(address, server, model, cache):
    first = find_model(address)
    assert first.read_bytes() == model.read_bytes()
    server.misbehave = lambda handler: handler.refuse(500)
    assert find_model(address) == find_model(address.upper().replace(*_lower(address))) == first
    assert len(server.requests) == 1
    assert files(cache) == [f"{sha256(model.read_bytes())}.{kind}" for kind in ("onnx", "txt")]


def _lower(address):
    """Return a replacement that restores all but the hash, which may be in capitals."""
    url = address.partition("#")[0]
    return f"{url.upper()}#SHA256=", f"{url}#sha256="


def test_it_opens_as_any_model_does(address, model):
    with open_session(address, device="cpu") as session:
        assert session.sha256 == sha256(model.read_bytes())


def test_a_file_of_the_hub_is_pinned_by_its_commit(server, model, cache):
    path = find_model(PINNED)
    assert read_model_file(path).spec.name == "tiny"
    assert [request[1] for request in server.requests] == [f"/{HUB_PATH}"]
    server.misbehave = lambda handler: handler.refuse(500)
    assert find_model(PINNED) == path
    assert len(files(cache)) == 3  # the model, where it came from, and what the commit gave


def test_what_a_commit_gave_first_is_what_it_must_give_again(server, tmp_path):
    find_model(PINNED).write_bytes(b"damaged")
    (tmp_path / HUB_PATH).write_bytes(b"another")
    assert "is not the expected file" in refused(PINNED)


def test_the_hub_is_asked_over_https():
    digest = "a" * 64
    there = ModelAddress.of(f"hf://me/nets/a/b.onnx@v1/x#sha256={digest}")
    assert there.url == "https://huggingface.co/me/nets/resolve/v1%2Fx/a/b.onnx"
    assert there.sha256 == digest
    there = ModelAddress.of(f"hf://me/nets/my%20model.onnx@v1#sha256={digest}")
    assert there.url == "https://huggingface.co/me/nets/resolve/v1/my%20model.onnx"


def test_a_damaged_file_of_the_cache_is_fetched_again(address, server, model):
    path = find_model(address)
    path.write_bytes(path.read_bytes()[:-1])
    assert find_model(address).read_bytes() == model.read_bytes()
    assert len(server.requests) == 2


def test_another_file_than_was_asked_for_is_not_kept(address, server, tmp_path, cache):
    (tmp_path / "tiny.onnx").write_bytes(b"another")
    found = sha256(b"another")[:12]
    assert f"is not the expected file (SHA-256 {found}..., expected" in refused(address)
    assert files(cache) == []


@pytest.mark.parametrize(
    ("address", "advice"),
    [
        ("https://a.org/m.onnx", r"says no hash: add #sha256= and the 64 hex digits"),
        ("https://a.org/m.onnx?token=SECRET", r"^https://a.org/m.onnx says no hash"),
        (
            "https://a.org/m.onnx#sha256=12",
            r"has no SHA-256 after #, got .sha256=12.: expected #sha256=",
        ),
        ("https://a.org/m.onnx#md5=12", r"has no SHA-256 after #"),
        ("hf://me/nets/m.onnx@main", r"is not pinned, 'main' may change: give the commit"),
        ("hf://me/nets/m.onnx", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"hf://me/m.onnx@{COMMIT}", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"hf://me/nets/../m.onnx@{COMMIT}", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"hf://me/nets/%2e%2E/m.onnx@{COMMIT}", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"hf://me/nets/a%2Fb.onnx@{COMMIT}", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"hf://me/nets/a%0Ab.onnx@{COMMIT}", r"expected hf://OWNER/REPO/FILE.onnx@COMMIT"),
        (f"http://a.org/m.onnx#sha256={'0' * 64}", "expected https://, got http://"),
        (f"https://me:SECRET@a.org/m.onnx#sha256={'0' * 64}", "a user name in it"),
        (f"https://a.org:x/m.onnx#sha256={'0' * 64}", "the host or the port is invalid"),
        (f"https:///m.onnx#sha256={'0' * 64}", "the host or the port is invalid"),
    ],
)
def test_what_is_not_pinned_or_not_safe_is_refused_before_anything_is_asked(
    cache, monkeypatch, address, advice
):
    monkeypatch.setattr(model_address, "_open", lambda url: pytest.fail(f"asked {url}"))
    text = refused(address)
    assert "SECRET" not in text
    with pytest.raises(ModelError, match=advice):
        find_model(address)


@pytest.mark.parametrize(
    "there", ["file:///etc/passwd", "ftp://a.org/m.onnx", "data:,x", "http://a.org/m", "//[x/m"]
)
def test_redirects_elsewhere_are_refused(address, server, cache, there):
    server.misbehave = lambda handler: handler.redirect(there)
    assert "redirects to" in refused(address)
    assert files(cache) == []


def test_a_redirect_on_the_way_is_followed(address, server, model):
    secret = address.replace("tiny.onnx", "old.onnx?token=SECRET")
    server.misbehave = lambda handler: "old" in handler.path and handler.redirect("/tiny.onnx")
    assert find_model(secret).read_bytes() == model.read_bytes()


def test_https_never_becomes_http(monkeypatch):
    """This also holds on this machine, where http is allowed."""
    request = Request("https://a.org/m.onnx?token=SECRET")
    headers = {"location": "http://127.0.0.1/m.onnx"}
    with io.BytesIO() as answer, pytest.raises(ModelError, match="redirects") as caught:
        model_address._Redirects().http_error_302(request, answer, 302, "", headers)
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize("says_length", [True, False])
def test_a_file_that_is_too_large_is_refused(address, server, cache, monkeypatch, says_length):
    monkeypatch.setattr(model_address, "MAX_SIZE", 1000)

    def pour(handler):
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(bytes(3000))
        handler.close_connection = True
        return True

    if not says_length:
        server.misbehave = pour
    assert "1000" in refused(address)
    assert files(cache) == []


def test_half_a_file_is_not_kept(server, cache):
    server.cut = lambda handler: True
    assert "the connection was cut after" in refused(PINNED)
    assert files(cache) == []


def test_a_server_has_so_long_as_a_whole(address, server, cache, monkeypatch):
    monkeypatch.setattr(model_address, "DEADLINE", 0.3)
    server.misbehave = lambda handler: handler.stall()
    assert "(not within 0.3 s): check the address, or try again later" in refused(address)
    assert files(cache) == []


def test_a_refusal_says_its_number_and_no_secret(address, server):
    secret = address.replace("tiny.onnx", "gone.onnx?token=SECRET")
    text = refused(secret)
    assert "gone.onnx cannot be fetched (HTTP 404)" in text
    assert "SECRET" not in text


def test_a_cache_that_cannot_be_written_is_named_with_the_way_out(address, tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("GEOSRSEG_CACHE", str(tmp_path / "file"))
    assert "choose another folder with GEOSRSEG_CACHE" in refused(address)


def test_two_processes_may_fetch_one_model_at_once(address, server, model, cache):
    code = "import sys; from geosrseg.runtime.shipped_models import find_model as f; f(sys.argv[1])"
    both = [subprocess.Popen([sys.executable, "-c", code, address]) for _ in range(2)]
    assert [process.wait(60) for process in both] == [0, 0]
    assert files(cache) == [f"{sha256(model.read_bytes())}.{kind}" for kind in ("onnx", "txt")]
    assert find_model(address).read_bytes() == model.read_bytes()


def test_the_cache_is_where_it_is_wanted(tmp_path, monkeypatch):
    monkeypatch.setenv("GEOSRSEG_CACHE", str(tmp_path / "own"))
    assert cache_root() == tmp_path / "own"
    monkeypatch.delenv("GEOSRSEG_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_root() == tmp_path / "geosrseg"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_root().is_absolute()


def test_addresses_of_models_are_told_from_those_of_scenes():
    assert is_model_address("https://a.org/m.onnx?x=1")
    assert is_model_address("https://a.org/m#sha256=12")
    assert is_model_address("hf://me/nets/m.onnx@main")
    assert not is_model_address("https://a.org/scene.tif")
    assert not is_model_address("folder/m.onnx")


def test_what_is_shown_holds_no_secret():
    assert shown_address("https://me:pw@a.org/m.onnx?t=1#sha256=2") == "https://a.org/m.onnx"
    assert shown_address("folder/m#1.onnx") == "folder/m#1.onnx"


def test_what_was_fetched_is_listed_with_where_it_came_from(address, model, cache):
    """Messages leave out the query, which may contain tokens."""
    find_model(PINNED)
    (model_of_hub,) = ModelCache(cache).models()
    assert model_of_hub.origin == PINNED
    model_of_hub.path.unlink()
    find_model(address.replace("#", "?token=secret#"))
    (cache / "notes.onnx").write_text("somebody's")
    (found,) = ModelCache(cache).models()  # one file, that two addresses lead to
    assert found.origin == address.partition("#")[0]
    assert (found.path.read_bytes(), found.size) == (model.read_bytes(), model.stat().st_size)
    shown = CliRunner().invoke(main, ["models", "list"]).stdout.splitlines()[-1]
    assert shown == f"{found.origin}  0.0 MB  {found.path}"
    listed = json.loads(CliRunner().invoke(main, ["models", "list", "--json"]).stdout)["fetched"]
    assert [(item["sha256"], item["origin"]) for item in listed] == [(found.sha256, found.origin)]
    found.path.unlink()
    assert ModelCache(cache).models() == []
    assert find_model(PINNED).read_bytes() == model.read_bytes()


def test_commands_take_an_address_for_a_model(address):
    for words in (["models", "show", address], ["info", address]):
        result = CliRunner().invoke(main, words)
        assert result.exit_code == 0, result.stderr
        assert "tiny" in result.stdout

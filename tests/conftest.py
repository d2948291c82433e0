"""What several layers' tests share."""

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

import pytest
from hypothesis import settings

from tests.tiny_models import make_onnx, make_spec

# The tests say the same every time; `pytest --hypothesis-profile=explore` looks further.
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=2000)
settings.load_profile("repeatable")


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests do not outlive a power cut, and on a busy disk they would wait for it long."""
    monkeypatch.setattr("os.fsync", lambda handle: None)


@pytest.fixture(autouse=True)
def _without_trial(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Models of tests are not tried in a child first, except where that is what is tested."""
    if "tried_apart" not in request.fixturenames:
        monkeypatch.setattr("geosrseg.runtime.trial.is_tried", lambda identity: True)


@pytest.fixture
def tried_apart() -> None:
    """For tests of the trial itself."""


@pytest.fixture(autouse=True)
def _read_here(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Vector files of tests are read in this process, except where the child is tested."""
    if "read_apart" in request.fixturenames:
        return

    def here(function: str, content: bytes, arguments: Sequence[str], **_: object) -> bytes:
        answer: bytes = resolve_name(function)(content, *arguments)
        return answer

    module = "geosrseg.raster.files.vector_file"
    monkeypatch.setattr(f"{module}.run_apart", here)
    monkeypatch.setattr(f"{module}.leave_one_driver", lambda driver, skipped: None)


@pytest.fixture
def read_apart() -> None:
    """For tests of the child that reads vector files."""


@pytest.fixture(autouse=True, scope="session")
def _default_interrupt() -> Iterator[None]:
    """Let child processes start with the default handling of SIGINT.

    A shell lets its background jobs ignore it, and they hand that down to their children.
    """
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


@pytest.fixture
def tiny_model(tmp_path: Path) -> Callable[..., Path]:
    """Write a tiny model file: ``tiny_model(reach=2, bands=6, ...)`` gives its path.

    See `make_onnx` for what it computes and `make_spec` for the further arguments.
    """

    def write(*, reach: int = 0, **spec: Any) -> Path:
        path = tmp_path / "tiny.onnx"
        path.write_bytes(make_onnx(make_spec(**spec), reach=reach).SerializeToString())
        return path

    return write

"""What several layers' tests share."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
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

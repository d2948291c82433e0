import numpy as np
import pytest

from geosrseg.core.tiling.windows import Span
from geosrseg.errors import DeviceMemoryError
from geosrseg.mapping.window_runner import WindowRunner
from tests.tiny_models import make_spec


class SmallSession:
    """Repeats each pixel, and runs out of memory above a number of LR pixels."""

    spec = make_spec(bands=2, classes=2, upscale_factor=2)

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.sizes: list[tuple[int, ...]] = []

    def run_with_sr(self, lr):
        self.sizes.append(lr.shape)
        if lr.shape[0] * lr.shape[2] * lr.shape[3] > self.limit:
            raise DeviceMemoryError("no memory")
        target = lr.repeat(2, axis=2).repeat(2, axis=3)
        return target, target + 1

    def run(self, lr):
        return self.run_with_sr(lr)[0]


SPAN = Span(length=64, window_size=64, starts=(0,), halo=4, ramp=8)


def windows(count: int, size: int = 64) -> list[np.ndarray]:
    return list(np.random.default_rng(0).random((count, 2, size, size), np.float32))


@pytest.mark.parametrize("limit", [10**6, 3 * 64 * 64, 64 * 64, 40 * 40, 24 * 24])
@pytest.mark.parametrize("with_sr", [False, True])
def test_gives_the_same_whatever_memory_there_is(limit, with_sr):
    session = SmallSession(limit)
    runner = WindowRunner(session, SPAN, batch=4, with_sr=with_sr)
    given = windows(5)
    results = list(runner.run(given))
    for lr, result in zip(given, results, strict=True):
        target = lr.repeat(2, axis=1).repeat(2, axis=2)
        np.testing.assert_allclose(result.probabilities, target, atol=1e-6)
        if with_sr:
            np.testing.assert_allclose(result.sr, target + 1, atol=1e-6)
        else:
            assert result.sr is None


def test_halves_the_batch_before_the_window_and_remembers_both():
    session = SmallSession(limit=33 * 33)
    runner = WindowRunner(session, SPAN, batch=2, with_sr=False)
    list(runner.run(windows(2)))
    assert session.sizes[:3] == [(2, 2, 64, 64), (1, 2, 64, 64), (1, 2, 32, 32)]
    assert runner.batch == 1
    session.sizes.clear()
    list(runner.run(windows(1)))
    assert max(session.sizes) <= (1, 2, 32, 32)


def test_gives_up_where_windows_would_not_advance():
    runner = WindowRunner(SmallSession(limit=100), SPAN, with_sr=False)
    with pytest.raises(DeviceMemoryError, match="windows of 24 pixels do not fit"):
        list(runner.run(windows(1)))

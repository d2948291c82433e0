"""What Lightning and PyTorch make of a signal, and what the caller sees."""

import pytest

from geosrseg.training.manners import interruptible


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), SystemExit(143)])
def test_a_stop_is_seen_through_the_error_of_an_unfinished_checkpoint(stop):
    def write() -> None:
        try:
            raise stop
        finally:
            raise RuntimeError("unexpected pos 20265600 vs 20265488")

    with pytest.raises(type(stop)) as seen, interruptible():
        write()
    assert seen.value is stop


def test_an_error_of_its_own_is_left_alone():
    with pytest.raises(RuntimeError, match="its own"), interruptible():
        raise RuntimeError("its own")

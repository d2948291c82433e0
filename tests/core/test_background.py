import threading
import time

import pytest

from geosrseg.core.background import in_background


def stage_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("stage")]


def test_gives_the_same_items_in_the_same_order():
    with in_background(iter(range(100)), ahead=3, name="stage") as items:
        assert list(items) == list(range(100))
    assert not stage_threads()


def test_runs_ahead_of_its_reader_but_not_further_than_allowed():
    made: list[int] = []

    def make():
        for number in range(100):
            made.append(number)
            yield number

    with in_background(make(), ahead=3, name="stage") as items:
        assert next(items) == 0
        deadline = time.monotonic() + 10
        while len(made) < 5 and time.monotonic() < deadline:
            time.sleep(0.01)
        time.sleep(0.05)
        assert len(made) == 5  # one read, three waiting, one in hand
    assert not stage_threads()


def test_an_error_of_the_stage_is_raised_where_it_is_read():
    def fail():
        yield 1
        raise KeyError("mine")

    seen = []

    def read():
        with in_background(fail(), ahead=1, name="stage") as items:
            seen.extend(items)

    with pytest.raises(KeyError, match="mine"):
        read()
    assert seen == [1]
    assert not stage_threads()


def test_a_stage_that_would_take_long_is_interrupted():
    interrupted = threading.Event()

    def slow():
        yield 1
        assert interrupted.wait(60)
        yield 2

    with in_background(slow(), ahead=1, name="stage", interrupt=interrupted.set) as items:
        assert next(items) == 1
    assert interrupted.is_set()
    assert not stage_threads()


def test_a_stage_that_has_ended_is_not_interrupted():
    # What another thread runs on the same model would fail.
    interrupted = threading.Event()
    with in_background(iter(range(3)), ahead=1, name="stage", interrupt=interrupted.set) as items:
        assert list(items) == [0, 1, 2]
    assert not interrupted.is_set()


def test_an_error_of_the_reader_ends_the_stage_and_closes_it():
    closed = threading.Event()

    def endless():
        try:
            while True:
                yield 1
        finally:
            closed.set()

    def read():
        with (
            in_background(endless(), ahead=1, name="stage 1") as first,
            in_background(first, ahead=1, name="stage 2") as second,
        ):
            next(second)
            raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        read()
    assert closed.is_set()
    assert not stage_threads()

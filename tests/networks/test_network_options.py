"""Options of a network as text, for the types that its parameters may have."""

from typing import Any, Literal, Optional

import pytest

from geosrseg.errors import RunError
from geosrseg.networks.network_options import declared_options, read_value
from geosrseg.networks.networks import read_options


def build(
    bands: int,
    *,
    upscale_factor: int,
    width: int = 8,
    rate: float = 0.5,
    deep: bool = False,
    kind: Literal["a", "b", 3] = "a",
    name: str = "",
    most: int | None = None,
    least: Optional[float] = None,  # noqa: UP045
    guessed=0.5,
    anything: Any = 3,
    unsaid=None,
    sizes: tuple[int, ...] = (),
) -> None: ...


KNOWN = declared_options(build, given=("upscale_factor",))


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("width", "32", 32),
        ("rate", "1e-3", 1e-3),
        ("rate", "2", 2.0),
        ("deep", "true", True),
        ("deep", "No", False),
        ("kind", "b", "b"),
        ("kind", "3", 3),
        ("name", "3", "3"),
        ("most", "none", None),
        ("most", "4", 4),
        ("least", "4", 4.0),
        ("guessed", "2", 2.0),
        ("anything", "4", 4),
        ("unsaid", "some text", "some text"),
    ],
)
def test_text_is_read_as_the_declared_type(name, text, value):
    read = read_value("sr", text, KNOWN[name])
    assert (read, type(read)) == (value, type(value))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("width", "3.5", "a whole number"),
        ("width", "none", "a whole number"),
        ("rate", "much", "a number"),
        ("deep", "maybe", "true or false"),
        ("kind", "c", "one of a, b, 3"),
        ("sizes", "3,4", "a value that only Python can give"),
    ],
)
def test_other_text_is_refused(name, text, expected):
    with pytest.raises(RunError) as error:
        read_value("sr", text, KNOWN[name])
    assert str(error.value) == f"`sr_options={name}={text}`: expected {expected}"


def test_names_are_those_that_the_network_declares():
    read = read_options("seg", "segnet", {"width": "0.5", "logits_block": True})
    assert read == {"width": 0.5, "logits_block": True}
    with pytest.raises(RunError, match="`seg=unet` has no option logits_block, expected width"):
        read_options("seg", "unet", {"logits_block": "true"})

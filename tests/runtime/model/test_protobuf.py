import pytest

from geosrseg.runtime.model.protobuf import count_varints, read_fields, read_packed


def test_every_wire_type_is_read():
    message = bytes([0x08, 0x96, 0x01]) + b"\x12\x02hi" + b"\x1d\0\0\0\1" + b"\x21" + bytes(8)
    fields = [
        (number, value if isinstance(value, int) else bytes(value))
        for number, value in read_fields(memoryview(message))
    ]
    assert fields == [(1, 150), (2, b"hi"), (3, b"\0\0\0\1"), (4, bytes(8))]


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (b"\x08", "an integer has no end"),
        (b"\x08" + b"\xff" * 11, "an integer has no end"),
        (b"\x12\x05hi", "longer than the file"),
        (b"\x1d\0\0", "longer than the file"),
        (b"\x0b", "wire type 3"),
        (b"\x00\x01", "field number 0"),
    ],
)
def test_broken_messages_are_refused(message, reason):
    with pytest.raises(ValueError, match=reason):
        list(read_fields(memoryview(message)))


@pytest.mark.parametrize(
    ("value", "numbers"),
    [(7, [7]), (b"", []), (b"\x00\x7f", [0, 127]), (b"\x96\x01\x05", [150, 5])],
)
def test_integers_one_by_one_or_in_a_row(value, numbers):
    value = memoryview(value) if isinstance(value, bytes) else value
    assert list(read_packed(value)) == numbers
    assert isinstance(value, int) or count_varints(value) == len(numbers)

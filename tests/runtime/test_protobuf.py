import pytest

from geosrseg.runtime.protobuf import read_fields


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

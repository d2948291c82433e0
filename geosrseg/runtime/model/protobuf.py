"""Reads the fields of protocol buffers, to check a model file before it is loaded.

The ``onnx`` package would build all objects of a file before the first check. The wire
format is simple: a message is a sequence of fields, each a number, a wire type and a value.
"""

from collections.abc import Iterator

import numpy as np

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
FIXED_SIZES = {FIXED64: 8, FIXED32: 4}
LONGEST_VARINT = 10  # bytes of 64 bits, 7 at a time

Value = int | memoryview


def read_fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Read the fields of one message, in the order of the file.

    Yields:
        The field's number, and its value: an integer for a varint, otherwise the bytes.

    Raises:
        ValueError: the bytes are not a complete protobuf message.
    """
    position = 0
    while position < len(message):
        key, position = _read_varint(message, position)
        number, wire_type = key >> 3, key & 7
        if number == 0:
            raise ValueError("field number 0")
        if wire_type == VARINT:
            value, position = _read_varint(message, position)
            yield number, value
            continue
        if wire_type == BYTES:
            length, position = _read_varint(message, position)
        elif wire_type in FIXED_SIZES:
            length = FIXED_SIZES[wire_type]
        else:
            raise ValueError(f"wire type {wire_type}")
        if length > len(message) - position:
            raise ValueError("a field is longer than the file")
        yield number, message[position : position + length]
        position += length


def _read_varint(message: memoryview, position: int) -> tuple[int, int]:
    """Return an integer (7 bits per byte, lowest first) and the position behind it."""
    value = 0
    for index, byte in enumerate(message[position : position + LONGEST_VARINT]):
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value, position + index + 1
    raise ValueError("an integer has no end")


def read_packed(value: Value) -> Iterator[int]:
    """Read the integers of a repeated field, packed or one per field.

    Raises:
        ValueError: the bytes end inside an integer.
    """
    if isinstance(value, int):
        yield value
        return
    position = 0
    while position < len(value):
        number, position = _read_varint(value, position)
        yield number


def count_varints(value: memoryview) -> int:
    """Count the integers that `read_packed` would yield."""
    return int(np.count_nonzero(np.frombuffer(value, np.uint8) < 0x80))

"""Checks that the weights in a model file fill their declared shape.

A runtime allocates the memory for the shape before it looks at the bytes.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import islice

from geosrseg.errors import ModelError
from geosrseg.runtime.model.protobuf import Value, count_varints, read_packed

# Fields of a TensorProto (onnx.proto)
DIMS, DATA_TYPE, RAW_DATA = 1, 2, 9
FLOATS, DOUBLES = 4, 10
VARINTS = (5, 7, 11)  # int32_data, int64_data, uint64_data

ITEM_BYTES = {
    1: 4,  # float
    2: 1,  # uint8
    3: 1,  # int8
    4: 2,  # uint16
    5: 2,  # int16
    6: 4,  # int32
    7: 8,  # int64
    9: 1,  # bool
    10: 2,  # float16
    11: 8,  # double
    12: 4,  # uint32
    13: 8,  # uint64
    16: 2,  # bfloat16
}
"""Bytes of one element in raw_data by data type; text, complex and 4-bit numbers are refused."""

MAX_RANK = 16


def check_tensor(fields: Sequence[tuple[int, Value]]) -> None:
    """Check the fields of one tensor.

    Raises:
        ModelError: the shape or the type is invalid, or the values do not fill the shape.
        ValueError: the bytes are not a tensor.
    """
    dims = list(islice(_dims(fields), MAX_RANK + 1))
    data_type = next((value for number, value in reversed(fields) if number == DATA_TYPE), 0)
    if data_type not in ITEM_BYTES:
        raise ModelError(f"it has weights of the data type {data_type}: expected numbers")
    if len(dims) > MAX_RANK or any(dim >= 2**63 for dim in dims):
        raise ModelError(f"it has weights of the shape {dims}: expected {MAX_RANK} axes at most")
    found = _elements(fields, ITEM_BYTES[int(data_type)])
    if found != math.prod(dims):
        raise ModelError(f"it has weights of the shape {dims} with {found:g} values: get it again")


def _dims(fields: Sequence[tuple[int, Value]]) -> Iterator[int]:
    for number, value in fields:
        if number == DIMS:
            yield from read_packed(value)


def _elements(fields: Sequence[tuple[int, Value]], item_bytes: int) -> float:
    """Return the number of elements in the bytes, with a fraction if the last is incomplete."""
    count, sizes = 0.0, {RAW_DATA: item_bytes, FLOATS: 4, DOUBLES: 8}
    for number, value in fields:
        if number in sizes:
            count += _length(value) / sizes[number]
        elif number in VARINTS:
            count += 1 if isinstance(value, int) else count_varints(value)
    return count


def _length(value: Value) -> int:
    if isinstance(value, int):
        raise ValueError("a number where the bytes of weights belong")
    return len(value)

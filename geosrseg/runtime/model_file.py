"""The model file: one self-contained ONNX that says what it is.

A file from anywhere is checked before the runtime sees it: weights that lie in other
files would make it read them (CVE-2022-25882, CVE-2024-27318), and operators of other
domains are code that it does not have. What is checked is what is then loaded: the bytes.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from geosrseg.core.spec import SPEC_KEY, ModelSpec
from geosrseg.errors import ModelError
from geosrseg.runtime.protobuf import Value, read_fields

MAX_SIZE = 2**31 - 1
"""Bytes; protobuf itself ends here."""

MAX_DEPTH = 64  # messages inside each other
DOMAINS = ("", "ai.onnx")

# message -> field number -> message inside it (onnx.proto); the rest holds nothing to check
MESSAGES = {
    "model": {7: "graph", 8: "opset", 14: "property", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "function": {7: "node", 9: "opset", 11: "attribute"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
}
DOMAIN_FIELD = {"node": 7, "opset": 1, "function": 10}
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a tensor
KEY, VALUE = 1, 2  # fields of a property


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that has passed every check that needs no runtime.

    Attributes:
        path: where it was read.
        content: its bytes.
        sha256: their hash, in hexadecimal.
        spec: what the file says of itself.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str
    spec: ModelSpec


def read_model_file(path: Path) -> ModelFile:
    """Read a model file, or refuse it.

    Raises:
        ModelError: the file cannot be read, is no ONNX, refers to other files, has
            operators that are not ONNX's own, or holds no valid ModelSpec.
    """
    content = _read(path)
    try:
        properties = dict(_check_message("model", memoryview(content), depth=0))
    except ValueError as error:
        raise ModelError(f"{path} is not an ONNX model ({error}): expected FILE.onnx") from error
    except ModelError as error:
        raise ModelError(f"{path} is refused: {error}") from error
    if SPEC_KEY not in properties:
        raise ModelError(f"{path} holds no ModelSpec: make model files with `geosrseg export`")
    try:
        spec = ModelSpec.from_json(properties[SPEC_KEY])
    except ModelError as error:
        raise ModelError(f"{path} is refused: {error}") from error
    return ModelFile(path, content, hashlib.sha256(content).hexdigest(), spec)


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    if not content:
        raise ModelError(f"the model {path} is empty: expected FILE.onnx")
    if len(content) > MAX_SIZE:
        raise ModelError(f"the model {path} is too large: expected at most {MAX_SIZE} bytes")
    return content


def _check_message(kind: str, message: memoryview, *, depth: int) -> Iterator[tuple[str, str]]:
    """Check a message and all inside it; yields the model's properties."""
    if depth > MAX_DEPTH:
        raise ValueError(f"messages more than {MAX_DEPTH} deep")
    fields = list(read_fields(message))
    if kind == "model" and not any(number == 7 for number, _ in fields):
        raise ValueError("it has no graph")
    if kind == "property":
        yield _property(fields)
    for number, value in fields:
        _check_field(kind, number, value)
        inner = MESSAGES.get(kind, {}).get(number)
        if inner:
            yield from _check_message(inner, _bytes(value), depth=depth + 1)


def _check_field(kind: str, number: int, value: Value) -> None:
    if kind == "tensor" and (number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)):
        raise ModelError("its weights lie in another file: export it with embedded weights")
    if number == DOMAIN_FIELD.get(kind):
        domain = _text(value)
        if domain not in DOMAINS:
            raise ModelError(f"it has operators of {domain!r}: expected those of ONNX only")


def _property(fields: list[tuple[int, Value]]) -> tuple[str, str]:
    values = dict(fields)
    return _text(values.get(KEY, memoryview(b""))), _text(values.get(VALUE, memoryview(b"")))


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _text(value: Value) -> str:
    return str(_bytes(value), "utf-8")

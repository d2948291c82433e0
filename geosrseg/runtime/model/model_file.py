"""Model file: a self-contained ONNX file with a ModelSpec in its metadata.

A file from an unknown source is checked before a runtime sees it. References to weights in
other files would make a runtime read those (CVE-2022-25882, CVE-2024-27318), a shape larger
than its weights would make it allocate memory, operators of other domains need code that it
lacks, and functions and subgraphs can expand without limit. The bytes that were checked are
the bytes that are loaded.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from geosrseg.core.spec import SPEC_KEY, ModelSpec
from geosrseg.errors import ModelError
from geosrseg.regular_file import open_regular
from geosrseg.runtime.model.operators import OPERATORS
from geosrseg.runtime.model.protobuf import Value, read_fields
from geosrseg.runtime.model.tensor import check_tensor

MAX_SIZE = 2**31 - 1
"""Largest file in bytes, the limit of protobuf itself."""

MAX_FIELDS = 2_000_000
"""Most fields of a file: weights are one field each, so the largest networks have some 100,000."""

DOMAINS = ("", "ai.onnx")

# message -> field number -> message inside it (onnx.proto); the rest holds nothing to check
MESSAGES = {
    "model": {7: "graph", 8: "opset", 14: "property"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 10: "tensor"},
}
# message -> field number -> what is refused
REFUSED = {
    "model": {20: "training instructions", 25: "functions"},
    "graph": {15: "sparse weights"},
    "attribute": {6: "subgraphs", 11: "subgraphs", 22: "sparse weights", 23: "sparse weights"},
}
DOMAIN_FIELD = {"node": 7, "opset": 1}
OPERATOR_FIELD = 4  # of a node
EXTERNAL_DATA, DATA_LOCATION = 13, 14  # fields of a tensor
KEY, VALUE = 1, 2  # fields of a property


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model file that has passed every check that needs no runtime.

    Attributes:
        content: the bytes of the file.
        sha256: hash of the bytes, in hexadecimal.
    """

    path: Path
    content: bytes = field(repr=False)
    sha256: str
    spec: ModelSpec


def read_model_file(path: Path) -> ModelFile:
    """Read and check a model file.

    Raises:
        ModelError: the file cannot be read, is not ONNX, refers to other files, has weights
            that do not fill their shape, operators that are not in `operators.OPERATORS`,
            functions or subgraphs, or has no valid ModelSpec.
    """
    return parse_model_file(path, _read(path))


def parse_model_file(path: Path, content: bytes) -> ModelFile:
    """Check the bytes of a model file; see `read_model_file`."""
    try:
        properties = dict(_Checker().check("model", memoryview(content)))
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
        with open_regular(path) as file:
            content = file.read(MAX_SIZE + 1)
    except OSError as error:
        raise ModelError(f"the model {path} cannot be read: {error.strerror}") from error
    if not content:
        raise ModelError(f"the model {path} is empty: expected FILE.onnx")
    if len(content) > MAX_SIZE:
        raise ModelError(f"the model {path} is too large: expected at most {MAX_SIZE} bytes")
    return content


class _Checker:
    """Checks the messages of one file, and counts their fields."""

    def __init__(self) -> None:
        self._left = MAX_FIELDS

    def check(self, kind: str, message: memoryview) -> Iterator[tuple[str, str]]:
        """Check a message and all messages inside it; yield the model's properties."""
        fields = self._fields(message)
        if kind == "model" and not any(number == 7 for number, _ in fields):
            raise ValueError("it has no graph")
        if kind == "property":
            yield _property(fields)
        for number, value in fields:
            _check_field(kind, number, value)
        if kind == "tensor":
            check_tensor(fields)
        for number, value in fields:
            inner = MESSAGES.get(kind, {}).get(number)
            if inner:
                yield from self.check(inner, _bytes(value))

    def _fields(self, message: memoryview) -> list[tuple[int, Value]]:
        fields = list(islice(read_fields(message), self._left + 1))
        self._left -= len(fields)
        if self._left < 0:
            raise ValueError(f"more than {MAX_FIELDS} fields")
        return fields


def _check_field(kind: str, number: int, value: Value) -> None:
    if kind == "tensor" and (number == EXTERNAL_DATA or (number == DATA_LOCATION and value != 0)):
        raise ModelError("its weights are in another file: export it with embedded weights")
    if number in REFUSED.get(kind, {}):
        raise ModelError(f"it has {REFUSED[kind][number]}: expected operators and weights only")
    if number == DOMAIN_FIELD.get(kind):
        domain = _text(value)
        if domain not in DOMAINS:
            raise ModelError(f"it has operators of {_shown(domain)}: expected those of ONNX only")
    if kind == "node" and number == OPERATOR_FIELD and _text(value) not in OPERATORS:
        raise ModelError(
            f"it has the operator {_shown(_text(value))}: expected operators of image networks"
        )


def _property(fields: list[tuple[int, Value]]) -> tuple[str, str]:
    values = dict(fields)
    return _text(values.get(KEY, memoryview(b""))), _text(values.get(VALUE, memoryview(b"")))


def _bytes(value: Value) -> memoryview:
    if isinstance(value, int):
        raise ValueError("a number where a message belongs")
    return value


def _text(value: Value) -> str:
    return str(_bytes(value), "utf-8")


def _shown(text: str) -> str:
    """Return at most 60 characters of a text from an unknown source."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")

"""Fuzz what reads a model file, with atheris (pip install atheris), from the top folder:

    python -m tests.fuzz.model_file model -max_total_time=3600
    python -m tests.fuzz.model_file spec -max_total_time=900

Whatever the bytes are, the answer is a value or a ModelError of one line.
"""

import io
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["geosrseg"]):
    from geosrseg.core.spec import ModelSpec
    from geosrseg.errors import ModelError
    from geosrseg.runtime.model.model_file import read_model_file

from tests.tiny_models import make_onnx, make_spec

LONGEST = 2000  # characters of a message


class Content(bytes):
    """Bytes that can be opened like a path: a real file takes longer than all checks."""

    def open(self, mode: str) -> io.BytesIO:
        return io.BytesIO(self)

    def __str__(self) -> str:
        return "model.onnx"


def fuzz_model(content: bytes) -> None:
    try:
        read_model_file(Content(content))
    except ModelError as error:
        _check(error)


def fuzz_spec(content: bytes) -> None:
    try:
        spec = ModelSpec.from_json(content.decode("utf-8", "surrogatepass"))
    except ModelError as error:
        _check(error)
    except UnicodeDecodeError:
        pass
    else:
        assert ModelSpec.from_json(spec.to_json()).to_json() == spec.to_json()


def _check(error: ModelError) -> None:
    assert "\n" not in str(error)
    assert len(str(error)) < LONGEST


def _write_seeds(folder: Path, target: str) -> None:
    for bands, classes, factor in ((1, 2, 1), (3, 3, 4), (6, 5, 2)):
        spec = make_spec(bands=bands, classes=classes, upscale_factor=factor)
        content = make_onnx(spec, reach=bands % 3).SerializeToString()
        seed = content if target == "model" else spec.to_json().encode()
        (folder / f"{bands}").write_bytes(seed)


if __name__ == "__main__":
    target = sys.argv.pop(1)
    with tempfile.TemporaryDirectory() as folder:
        _write_seeds(Path(folder), target)
        atheris.Setup([*sys.argv, folder], {"model": fuzz_model, "spec": fuzz_spec}[target])
        atheris.Fuzz()

"""Finds model files: the models shipped with the package, by name, and others."""

from dataclasses import dataclass
from pathlib import Path

from geosrseg.errors import ModelError
from geosrseg.regular_file import hash_file
from geosrseg.runtime.model_address import fetch_model, is_address

DEFAULT_MODEL = "landcover-3x"
"""The default model of `predict`."""

SUFFIX = ".onnx"
CHECKSUMS = "SHA256SUMS"

_PACKAGE = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class ShippedModel:
    """A model file of the weights folder.

    Attributes:
        name: name as in ``--model NAME``.
        sha256: hash in the folder's list of checksums, in hexadecimal; empty if not listed.
    """

    name: str
    path: Path
    sha256: str

    @property
    def intact(self) -> bool:
        """Whether the file exists and has the listed hash."""
        return self.path.is_file() and hash_file(self.path) == self.sha256


def weights_folder() -> Path:
    """Return the folder of the shipped models, in the package or beside it in a source tree."""
    inside = _PACKAGE / "weights"
    return inside if inside.is_dir() else _PACKAGE.parent / "weights"


def list_models() -> tuple[ShippedModel, ...]:
    """Return the shipped models by name: all files, and all that the checksums list."""
    folder, sums = weights_folder(), _read_checksums()
    files = {path.name for path in folder.glob(f"*{SUFFIX}")}
    return tuple(
        ShippedModel(file.removesuffix(SUFFIX), folder / file, sums.get(file, ""))
        for file in sorted(files | sums.keys())
    )


def find_model(model: str | Path) -> Path:
    """Return the file of a shipped model or of an address, or the path itself.

    Raises:
        ModelError: the model is neither shipped nor a file; see `fetch_model` for addresses.
    """
    if isinstance(model, str) and is_address(model):
        return fetch_model(model)
    shipped = {item.name: item for item in list_models()}
    if isinstance(model, str) and model in shipped:
        if not shipped[model].path.is_file():
            raise ModelError(
                f"the model {model} is not in this installation, which contains {DEFAULT_MODEL}: "
                f"give the file, --model {model}{SUFFIX}, from the folder weights of the sources"
            )
        return shipped[model].path
    path = Path(model)
    if not path.is_file():
        names = ", ".join(shipped) or "none"
        raise ModelError(f"no model {str(model)!r}: expected FILE.onnx or a shipped one ({names})")
    return path


def check_shipped(path: Path, sha256: str) -> None:
    """Refuse a file of the weights folder that does not have its listed hash.

    Raises:
        ModelError: the file was changed or damaged.
    """
    stated = _read_checksums().get(path.name)
    if path.parent == weights_folder() and stated is not None and sha256 != stated:
        raise ModelError(
            f"{path} does not match {CHECKSUMS} (SHA-256 {sha256[:12]}..., expected "
            f"{stated[:12]}...): reinstall geosrseg"
        )


def is_shipped(sha256: str) -> bool:
    """Whether the package comes with a model file of this hash."""
    return sha256 in _read_checksums().values()


def verify_models() -> tuple[ShippedModel, ...]:
    """Check every installed model against the checksums.

    Raises:
        ModelError: a file was changed, has no checksum, or is the missing default model.
    """
    models = tuple(
        item for item in list_models() if item.path.is_file() or item.name == DEFAULT_MODEL
    )
    broken = [item.name for item in models if not item.intact]
    if broken:
        raise ModelError(
            f"{', '.join(broken)}: not the file that {weights_folder() / CHECKSUMS} lists: "
            "reinstall geosrseg"
        )
    return models


def _read_checksums() -> dict[str, str]:
    """Return file name -> hash, from lines of ``hash  name``."""
    path = weights_folder() / CHECKSUMS
    if not path.is_file():
        return {}
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {words[1].lstrip("*"): words[0].lower() for words in lines if len(words) == 2}

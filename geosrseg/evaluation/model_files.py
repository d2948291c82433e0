"""Model files of everything that a user may name as a model, including a run's folder."""

from collections.abc import Sequence
from pathlib import Path

from geosrseg.runtime.shipped_models import SUFFIX, find_model
from geosrseg.training.finishing.export import export


def find_model_files(models: Sequence[str | Path], *, folder: Path) -> list[Path]:
    """The model file of each model.

    A run is exported first: what is measured is then what `predict` would do.

    Args:
        models: shipped models' names, model files, or runs' folders.
        folder: where exported runs are written to.

    Raises:
        RunError: a folder is no finished run.
        ModelError: a model is unknown, or a run's model file is refused.
    """
    files = []
    for number, model in enumerate(models):
        if not Path(model).is_dir():
            files.append(find_model(model))
            continue
        own = folder / f"run-{number}"
        own.mkdir()
        name = Path(model).resolve().name
        files.append(export(model, own / f"{name}{SUFFIX}", name=name).path)
    return files

"""Run: the folder that a training writes.

- ``config.json``: network, recipe, bands, classes and normalization
- ``data.json``: hashes of the training data, see `data_record`
- ``metrics.csv``: losses and validation metrics, one row per epoch
- ``tensorboard/``: the same for TensorBoard; ``panels/``: validation images, on request
- ``logs/``: local files of other loggers
- ``best.ckpt``, ``last.ckpt``: Lightning checkpoints
- ``weights.safetensors``: the resulting weights, which `export` reads
- ``validation.json``: validation metrics of these weights, in full precision
"""

import csv
import json
import re
import shutil
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

from safetensors import SafetensorError
from safetensors.torch import load_file, save

from geosrseg.datasets.card.card import DatasetCard
from geosrseg.errors import RunError, RunWarning
from geosrseg.networks.framework import NetworkConfig, build_network
from geosrseg.networks.joint import JointNetwork
from geosrseg.networks.pickles import load_pickle
from geosrseg.raster.storage.lock import locked
from geosrseg.regular_file import check_regular, hash_file, read_regular
from geosrseg.training.run_folder.draft import DRAFT, drafted
from geosrseg.training.run_folder.run_config import RunConfig
from geosrseg.training.run_folder.validation import Validation, best_validation

FILES = (
    "config.json",
    "data.json",
    "metrics.csv",
    "best.ckpt",
    "last.ckpt",
    "validation.json",
    "weights.safetensors",
)
FOLDERS = ("tensorboard", "panels", "logs")
"""Folders of a run; with `FILES`, everything that its folder may contain."""

LOCK = ".lock"
"""Held while a process trains in the folder."""

MAX_TEXT = 2**22
"""Largest configuration or validation file accepted, in bytes; they have a few kB."""

WRONG_VALUES = (ValueError, KeyError, TypeError, AttributeError, OverflowError)
"""Errors raised for values that no run has written."""

NETWORK_PREFIX = "network."
"""Prefix of the network's weights in Lightning's checkpoints."""


def default_run(card: DatasetCard, network: NetworkConfig) -> Path:
    """Return the default run folder, ``runs/DATASET-PROTOCOL-FACTORx``.

    A fold of a cross-validation appends ``-foldIofK``.
    """
    dataset = re.sub(r"[^\w.]+", "-", card.name).strip("-.") or "dataset"
    fold = "-fold{}of{}".format(*card.fold) if card.fold else ""
    return Path("runs") / f"{dataset}-{network.protocol}-{network.upscale_factor}x{fold}"


def _read_text(path: Path) -> str:
    return read_regular(path, limit=MAX_TEXT).decode("utf-8")


def _write_text(path: Path, text: str) -> None:
    with drafted(path) as draft:
        draft.write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Run:
    """A run folder; it need not exist yet."""

    path: Path

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def data_file(self) -> Path:
        return self.path / "data.json"

    @property
    def best_checkpoint(self) -> Path:
        """Checkpoint of the epoch with the best validation."""
        return self.path / "best.ckpt"

    @property
    def last_checkpoint(self) -> Path:
        """Checkpoint that an interrupted run resumes from."""
        return self.path / "last.ckpt"

    @property
    def metrics_table(self) -> Path:
        return self.path / "metrics.csv"

    @property
    def panels(self) -> Path:
        """Folder of the validation images."""
        return self.path / "panels"

    @property
    def weights_file(self) -> Path:
        return self.path / "weights.safetensors"

    @property
    def validation_file(self) -> Path:
        return self.path / "validation.json"

    @property
    def finished(self) -> bool:
        return self.weights_file.is_file()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Create the folder, and keep other processes from training in it.

        Raises:
            RunError: another process trains there, or the folder cannot be created.
        """
        with ExitStack() as stack:
            try:
                if not self.path.exists():
                    self.path.mkdir(parents=True)
                    stack.callback(self._remove_if_empty)
                stack.enter_context(locked(self.path / LOCK))
            except BlockingIOError as error:
                raise RunError(
                    f"{self.path} is being trained by another process: wait for it, or choose "
                    "another folder"
                ) from error
            except OSError as error:
                raise RunError(f"cannot write to {self.path}: {error.strerror}") from error
            stack.callback((self.path / LOCK).unlink, missing_ok=True)
            yield

    def _remove_if_empty(self) -> None:
        with suppress(OSError):
            self.path.rmdir()

    def weights_sha256(self) -> str:
        """SHA-256 of the best weights, in hexadecimal.

        Raises:
            RunError: the run is not finished.
        """
        try:
            return hash_file(self.weights_file)
        except OSError as error:
            raise self._lacks(self.weights_file) from error

    def _lacks(self, file: Path) -> RunError:
        return RunError(f"{self.path} has no {file.name}: continue it with --resume")

    def create(self, config: RunConfig, *, overwrite: bool = False) -> None:
        """Create the folder with its configuration.

        Raises:
            RunError: it already holds a run or other files, or it cannot be created.
        """
        if self.config_file.exists() and not overwrite:
            raise RunError(
                f"{self.path} already holds a run: choose another folder, continue the run with "
                "--resume or replace it with --overwrite"
            )
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            own = {LOCK, *FILES, *(name + DRAFT for name in FILES)}
            own |= set(FOLDERS) if self.config_file.exists() else set()
            if foreign := {file.name for file in self.path.iterdir()} - own:
                raise RunError(
                    f"{self.path} holds {sorted(foreign)[0]}, which no run writes: choose another "
                    "folder"
                )
            self.remove()
            self.path.mkdir(exist_ok=True)
            _write_text(self.config_file, config.to_json())
        except OSError as error:
            raise RunError(f"cannot write to {self.path}: {error.strerror}") from error

    def prolong(self, config: RunConfig) -> None:
        """Change the run's number of epochs or its patience; the rest of `config` is unchanged."""
        for file in (self.weights_file, self.validation_file):  # no longer the result
            file.unlink(missing_ok=True)
        _write_text(self.config_file, config.to_json())

    def remove(self) -> None:
        """Delete the files of the run, and the folder if nothing else is in it."""
        for name in FOLDERS:
            shutil.rmtree(self.path / name, ignore_errors=True)
        for name in reversed(FILES):  # the configuration last, as it makes the folder a run
            for file in (self.path / name, self.path / (name + DRAFT)):
                file.unlink(missing_ok=True)
        self._remove_if_empty()

    def config(self) -> RunConfig:
        """Read the configuration.

        Raises:
            RunError: the folder is not a run.
        """
        try:
            return RunConfig.from_json(_read_text(self.config_file))
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} is not a run: {self.config_file.name} is missing"
            ) from error
        except OSError as error:
            raise RunError(f"{self.config_file} cannot be read: {error.strerror}") from error
        except WRONG_VALUES as error:
            raise RunError(f"{self.config_file} is not a run's configuration: {error}") from error

    def check_config(self, expected: RunConfig) -> None:
        """Check that the folder's run is the one to resume.

        The patience may differ, and the number of epochs too, except for protocol two-stage, whose
        first stage it determines.

        Raises:
            RunError: it is a different run, or the folder is not a run.
        """
        free = ("patience",) if expected.network.two_stage else ("patience", "epochs")
        found, wanted = json.loads(self.config().to_json()), json.loads(expected.to_json())
        for found_part, wanted_part in (
            (found, wanted),
            (found["network"], wanted["network"]),
            (found["recipe"], wanted["recipe"]),
        ):
            for key, value in wanted_part.items():
                if key not in ("network", "recipe", "domain", *free) and found_part[key] != value:
                    raise RunError(
                        f"{self.path} was started with {key} {found_part[key]}, not {value}: "
                        "repeat its options to continue it, or replace it with --overwrite"
                    )

    def best_network(self) -> JointNetwork:
        """Load the network of the best checkpoint, in evaluation mode.

        Raises:
            RunError: the checkpoint is damaged.
        """
        try:
            checkpoint = load_pickle(self.best_checkpoint)
            weights = checkpoint["state_dict"].items()
            network = build_network(self.config().network)
            network.load_state_dict({name.removeprefix(NETWORK_PREFIX): w for name, w in weights})
        except (RuntimeError, UnpicklingError, EOFError, OSError, *WRONG_VALUES) as error:
            raise RunError(
                f"{self.best_checkpoint} is damaged: train again with --overwrite"
            ) from error
        return network.eval()

    def finish(self, network: JointNetwork, validation: Validation) -> None:
        """Write the result: a network's weights and their validation."""
        _write_text(self.validation_file, validation.to_json())
        weights = network.state_dict().items()
        with drafted(self.weights_file) as draft:
            draft.write_bytes(save({name: value.contiguous() for name, value in weights}))

    def validation(self) -> Validation:
        """Read the validation of the result, or of the best epoch if the run is unfinished.

        Raises:
            RunError: no epoch is finished.
        """
        stopped = not self.finished and self.best_checkpoint.is_file()
        file = self.metrics_table if stopped else self.validation_file
        try:
            if stopped:
                return best_validation(file)
            return Validation.from_json(_read_text(file))
        except FileNotFoundError as error:
            raise self._lacks(file) from error
        except OSError as error:
            raise RunError(f"{file} cannot be read: {error.strerror}") from error
        except (*WRONG_VALUES, csv.Error) as error:
            raise RunError(f"{file} does not hold metrics: {error}") from error

    def network(self) -> JointNetwork:
        """Load the network with the best weights, in evaluation mode.

        Warns:
            RunWarning: the run is unfinished, so these are the best weights so far.

        Raises:
            RunError: no epoch is finished, or the run's files do not match.
        """
        if not self.finished and self.best_checkpoint.is_file():
            warnings.warn(
                f"{self.path} was interrupted: using its best epoch so far without the values "
                "fitted at the end; train --resume --epochs N finishes the run there",
                RunWarning,
                stacklevel=2,
            )
            return self.best_network()
        config = self.config().network
        try:
            check_regular(self.weights_file)
            network = build_network(config)
            network.load_state_dict(load_file(self.weights_file))
        except FileNotFoundError as error:
            raise self._lacks(self.weights_file) from error
        except (RuntimeError, OSError, SafetensorError, *WRONG_VALUES) as error:
            raise RunError(f"{self.weights_file} does not match this run: {error}") from error
        return network.eval()

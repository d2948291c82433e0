"""The session: a model file, loaded and checked, that runs."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from geosrseg.core.spec import ModelSpec
from geosrseg.errors import DeviceError, ModelError
from geosrseg.runtime import cuda
from geosrseg.runtime.contract import (
    INPUT,
    PROBABILITIES,
    SR,
    check_answer,
    check_ports,
    trial_input,
)
from geosrseg.runtime.model_file import ModelFile, read_model_file
from geosrseg.runtime.shipped_models import check_shipped, find_model

DEVICES = ("auto", "cuda", "cpu")

PROVIDERS: dict[str, list[tuple[str, dict[str, str]]]] = {
    "cpu": [("CPUExecutionProvider", {})],
    # TF32 rounds to 10 bits: the labels would not be the CPU's.
    "cuda": [(cuda.PROVIDER, {"use_tf32": "0"})],
}
FATAL = 4  # onnxruntime's least talkative log level


class Session:
    """A model that has been loaded and has kept to its ModelSpec in a trial run.

    Made by `open_session`. It may be run by several threads at once.

    Attributes:
        path: of the model file.
        sha256: of the bytes that were loaded, in hexadecimal.
        spec: what the model file says of itself.
        device: ``cpu`` or ``cuda``, where it runs.
    """

    def __init__(self, file: ModelFile, *, device: str, threads: int | None = None) -> None:
        self.path: Path = file.path
        self.sha256: str = file.sha256
        self.spec: ModelSpec = file.spec
        self.device = device
        self._session = _load(file, device=device, threads=threads)
        self._check()

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Class probabilities.

        Args:
            lr: (N, bands, H, W) model input; H and W are multiples of the ModelSpec's.

        Returns:
            (N, classes, s·H, s·W).

        Raises:
            DeviceError: the runtime failed, for example for want of memory.
            ValueError: the input is not one of this model.
        """
        (probabilities,) = self._run([PROBABILITIES], lr)
        return probabilities

    def run_with_sr(
        self, lr: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """As `run`, and the super-resolved image (N, bands, s·H, s·W), not clipped."""
        probabilities, sr = self._run([PROBABILITIES, SR], lr)
        return probabilities, sr

    def close(self) -> None:
        """Release the model's memory; the session cannot run any more."""
        self._session = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        self._check_input(lr)
        try:
            return self._session.run(list(outputs), {INPUT: lr})
        except Exception as error:  # onnxruntime's errors have no root of their own
            raise DeviceError(
                f"{self.path.name} failed on {self.device} with an input of {lr.shape} "
                f"({_first_line(error)}): a smaller window or batch needs less memory"
            ) from error

    def _check_input(self, lr: NDArray[np.float32]) -> None:
        bands, multiple = len(self.spec.bands), self.spec.multiple
        if lr.ndim != 4 or lr.shape[1] != bands or lr.shape[2] % multiple or lr.shape[3] % multiple:
            raise ValueError(
                f"an input is (N, {bands}, H, W) with multiples of {multiple}, got {lr.shape}"
            )

    def _check(self) -> None:
        """Prove that the model keeps to its ModelSpec."""
        try:
            check_ports(self._session.get_inputs(), self._session.get_outputs(), self.spec)
            lr = trial_input(self.spec)
            check_answer(lr, *self.run_with_sr(lr), self.spec)
        except ModelError as error:
            raise ModelError(f"{self.path} is refused: {error}") from error
        except DeviceError as error:
            if self.device == "cpu":  # which runs every valid model
                raise ModelError(f"{self.path} is refused: it does not run ({error})") from error
            raise


def open_session(model: str | Path, *, device: str = "auto", threads: int | None = None) -> Session:
    """Load a model file and prove that it keeps to its ModelSpec.

    Args:
        model: a shipped model's name, or the path of a model file.
        device: ``cuda`` or ``cpu``; ``auto`` is CUDA where it works, and the CPU elsewhere.
        threads: of the CPU; all cores unless given.

    Raises:
        ModelError: the model is unknown or its file refused.
        DeviceError: the device that was asked for by name cannot be used.
    """
    if device not in DEVICES:
        raise DeviceError(f"no device {device!r}: expected one of {', '.join(DEVICES)}")
    if threads is not None and threads < 1:
        raise DeviceError(f"{threads} threads: expected at least 1")
    onnxruntime.set_default_logger_severity(FATAL)
    file = read_model_file(find_model(model))
    check_shipped(file.path, file.sha256)
    if device != "cpu":
        try:
            return _on_cuda(file)
        except DeviceError:
            if device == "cuda":
                raise
    return Session(file, device="cpu", threads=threads)


def _on_cuda(file: ModelFile) -> Session:
    reason = cuda.why_no_cuda()
    if reason is not None:
        raise DeviceError(f"device cuda cannot be used: {reason}, or use --device cpu")
    return Session(file, device="cuda")


def _load(file: ModelFile, *, device: str, threads: int | None) -> Any:
    """The runtime's own session, on exactly the device that was asked for."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = FATAL
    options.intra_op_num_threads = threads or 0  # 0: as many as there are cores
    options.enable_mem_pattern = False  # it takes 1.3 to 1.7 times the memory for no speed
    if device != "cpu":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    providers = PROVIDERS[device]
    try:
        session = onnxruntime.InferenceSession(
            file.content, options, providers=providers, enable_fallback=0
        )
    except Exception as error:  # onnxruntime's errors have no root of their own
        if device == "cpu":
            raise ModelError(
                f"{file.path} is refused: onnxruntime cannot load it ({_first_line(error)})"
            ) from error
        raise DeviceError(f"device {device} cannot be used: {_first_line(error)}") from error
    if session.get_providers()[0] != providers[0][0]:
        raise DeviceError(f"device {device} cannot be used: onnxruntime did not take it up")
    return session


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__

"""Session: a loaded and checked model file that can be run."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from geosrseg.core.precision import NOT_OFFERED, PRECISIONS, Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.windows import round_up
from geosrseg.errors import DeviceError, ModelError
from geosrseg.runtime.contract import (
    PROBABILITIES,
    SR,
    check_answer,
    check_ports,
    trial_input,
)
from geosrseg.runtime.devices.device import Backend, Device
from geosrseg.runtime.devices.devices import AUTO, find_device
from geosrseg.runtime.divisions import check_divisions
from geosrseg.runtime.failure import device_error, in_one_line, is_out_of_memory
from geosrseg.runtime.footprint import peak_bytes
from geosrseg.runtime.model.model_file import ModelFile, parse_model_file, read_model_file
from geosrseg.runtime.shipped_models import check_shipped, find_model
from geosrseg.runtime.trial import try_apart
from geosrseg.runtime.turned import Turned

MAX_TRIAL_BYTES = 2**33
"""Most bytes of a network's values in a trial run; networks for images take about 100 MB."""


MOST_THREADS = 4096
"""Larger numbers are a mistake, which onnxruntime would report as one of the model."""


class Session:
    """A loaded model that kept to its ModelSpec in a trial run.

    Made by `open_session`. Several threads may run it at once.

    Attributes:
        sha256: hash of the model file as it was read, in hexadecimal.
        device: a name in `DEVICES`.
        precision: ``fp32``, ``bf16`` or ``fp16``.
        limits: the largest input that the device accepts.
        bytes_per_pixel: most bytes of memory that a run takes for each LR pixel of its input,
            estimated from the graph. A run takes at least a third of it.
        seconds: time spent in runs since the session was opened, summed over all threads.
    """

    def __init__(
        self,
        file: ModelFile,
        *,
        device: str,
        precision: Precision,
        threads: int | None = None,
        tta: bool = False,
    ) -> None:
        self.path: Path = file.path
        self.sha256: str = file.sha256
        self.spec: ModelSpec = file.spec
        self.device = device
        self.precision = precision
        self._device = find_device(device)
        self.limits = self._device.limits(file.spec)
        # Before loading: a runtime allocates what the graph says, some of it while it loads.
        self.bytes_per_pixel: float = _bytes_per_pixel(file, self._device)
        backend = self._load(file, threads)
        self._backend: Backend | None = backend
        self.seconds = 0.0
        self._lock = threading.Lock()
        self._check()
        if tta:
            self._backend = Turned(backend)
        self.seconds = 0.0  # without the trial run

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        """Compute class probabilities.

        Args:
            lr: (N, bands, H, W) model input; H and W are multiples of the ModelSpec's `multiple`.

        Returns:
            (N, classes, s·H, s·W).

        Raises:
            DeviceMemoryError: memory does not suffice for this many pixels.
            DeviceError: the runtime failed for another reason.
            ValueError: the input has a wrong type or shape, or the session is closed.
        """
        (probabilities,) = self._run([PROBABILITIES], lr)
        return probabilities

    def run_with_sr(
        self, lr: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Compute class probabilities and the SR image (N, bands, s·H, s·W), not clipped."""
        probabilities, sr = self._run([PROBABILITIES, SR], lr)
        return probabilities, sr

    def free_memory(self) -> int:
        """Return the bytes that are free on the device."""
        return self._device.free_memory()

    def cancel(self) -> None:
        """Abort runs in other threads. Later runs are unaffected."""
        if self._backend is not None:
            self._backend.cancel()

    def close(self) -> None:
        """Release the model's memory; the session cannot be run afterwards."""
        self._backend = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _load(self, file: ModelFile, threads: int | None) -> Backend:
        try:
            return self._device.load(file, precision=self.precision, threads=threads)
        except Exception as error:  # the runtimes' errors have no common base class
            if self._device.runs_all and not is_out_of_memory(error):
                raise ModelError(
                    f"{file.path} is refused: it cannot be loaded ({in_one_line(error)})"
                ) from error
            raise device_error(
                error, f"{file.path.name} cannot be loaded on {self.device}"
            ) from error

    def _run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        if self._backend is None:
            raise ValueError("the session is closed")
        self._check_input(lr)
        begin = time.perf_counter()
        try:
            return self._backend.run(outputs, lr)
        except Exception as error:
            failed = f"{self.path.name} failed on {self.device} with an input of {lr.shape}"
            raise device_error(error, failed) from error
        finally:
            with self._lock:
                self.seconds += time.perf_counter() - begin

    def _check_input(self, lr: NDArray[np.float32]) -> None:
        bands, multiple = len(self.spec.bands), self.spec.multiple
        if (
            lr.dtype != np.float32
            or lr.ndim != 4
            or lr.shape[1] != bands
            or any(length % multiple for length in lr.shape[2:])
        ):
            raise ValueError(
                f"an input is float32 of (N, {bands}, H, W) with multiples of {multiple}, got "
                f"{lr.dtype} of {lr.shape}"
            )

    def _check(self) -> None:
        """Check in a trial run that the model keeps to its ModelSpec."""
        try:
            lr = trial_input(self.spec)
            with self._time_limit() as is_over:
                answer = self.run_with_sr(lr)
            check_answer(lr, *answer, self.spec)
        except ModelError as error:
            raise ModelError(f"{self.path} is refused: {error}") from error
        except DeviceError as error:
            if self._device.runs_all:
                reason = (
                    f"not within {self._device.loading_seconds:.0f} s" if is_over() else str(error)
                )
                raise ModelError(f"{self.path} is refused: it does not run ({reason})") from error
            raise

    @contextmanager
    def _time_limit(self) -> Iterator[Callable[[], bool]]:
        """Cancel runs that take too long, on devices where only the model can be the reason."""
        is_over = threading.Event()

        def stop() -> None:
            is_over.set()
            self.cancel()

        timer = threading.Timer(self._device.loading_seconds, stop)
        if self._device.runs_all:
            timer.start()
        try:
            yield is_over.is_set
        finally:
            timer.cancel()


def open_session(
    model: str | Path,
    *,
    device: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
    tta: bool = False,
) -> Session:
    """Load a model file and check that it keeps to its ModelSpec.

    Args:
        model: a shipped model's name, an address, or the path of a model file.
        device: a name in `DEVICES`; ``auto`` is the first in `AUTO` that works here.
        precision: ``fp32``, ``bf16`` or ``fp16``; ``auto`` is the fastest that the device
            offers and the ModelSpec allows.
        threads: CPU threads; None for one per core.
        tta: return the mean over the eight flips and turns of an input (test-time
            augmentation).

    Raises:
        ModelError: the model is unknown or its file refused.
        DeviceError: the device or the precision cannot be used.
    """
    names = AUTO if device == "auto" else (device,)
    devices = [find_device(name) for name in names]
    if precision in NOT_OFFERED:
        raise DeviceError(f"precision {precision} is not offered: {NOT_OFFERED[precision]}")
    if precision not in (*PRECISIONS, "auto"):
        raise DeviceError(
            f"no precision {precision!r}: expected one of auto, {', '.join(PRECISIONS)}"
        )
    if threads is not None and not 1 <= threads <= MOST_THREADS:
        raise DeviceError(f"{threads} threads: expected 1 to {MOST_THREADS}")
    file = read_model_file(find_model(model))
    check_shipped(file.path, file.sha256)
    try_apart(
        file,
        device=device,
        precision=precision,
        threads=threads,
        seconds=max(each.loading_seconds for each in devices),
        on_gpu=any(each.gpu and each.why_not() is None for each in devices),
    )
    return _open_first(file, device=device, precision=precision, threads=threads, tta=tta)


def try_content(content: bytes, path: str, device: str, precision: str, threads: str) -> bytes:
    """Load and try a model file by its content, in the child process of `try_apart`.

    Raises:
        GeosrsegError: as from `open_session`.
    """
    file = parse_model_file(Path(path), content)
    _open_first(file, device=device, precision=precision, threads=int(threads) or None).close()
    return b""


def _open_first(
    file: ModelFile, *, device: str, precision: str, threads: int | None, tta: bool = False
) -> Session:
    """Open a session on the first device that works."""
    reasons = []
    for name in AUTO if device == "auto" else (device,):
        if reason := find_device(name).why_not():
            reasons.append(f"device {name} cannot be used: {reason}")
            continue
        try:
            chosen = choose_precision(file.spec, name, precision)
            return Session(file, device=name, precision=chosen, threads=threads, tta=tta)
        except DeviceError as error:
            reasons.append(str(error))
    raise DeviceError("; ".join(reasons))


def _bytes_per_pixel(file: ModelFile, device: Device) -> float:
    """Estimate the bytes per LR pixel from a square window of the ModelSpec's size.

    Blocks of channels matter to networks of few: for others the factor is more.

    Raises:
        ModelError: the input does not match the ModelSpec, or the sizes of the values are unknown
            or too large even for the smallest window.
    """
    size = round_up(file.spec.window_size, file.spec.multiple)
    try:
        model = onnx.load_from_string(file.content)
        check_ports(model.graph, file.spec)
        trial_shape = trial_input(file.spec).shape
        check_divisions(model, trial_shape)
        trial = peak_bytes(model, trial_shape)
        if trial > MAX_TRIAL_BYTES:
            raise ModelError(
                f"it takes {trial / 2**30:.0f} GiB for its smallest window: expected at most "
                f"{MAX_TRIAL_BYTES / 2**30:.0f}"
            )
        shape = (1, len(file.spec.bands), size, size)
        usual = device.memory_factor * peak_bytes(model, shape)
        return max(usual, peak_bytes(model, shape, block=device.channel_block)) / size**2
    except (ModelError, DecodeError) as error:
        raise ModelError(f"{file.path} is refused: {error}") from error


def choose_precision(spec: ModelSpec, device: str, wanted: str) -> Precision:
    """Return the precision of this name; for ``auto`` the fastest that device and model allow.

    Raises:
        DeviceError: the device does not offer the precision here.
    """
    offered = find_device(device).precisions()
    allowed = spec.precisions if wanted == "auto" else (wanted,)
    for precision in offered:
        if precision in allowed:
            return precision
    raise DeviceError(
        f"precision {wanted} cannot be used: device {device} computes in {', '.join(offered)} here"
    )

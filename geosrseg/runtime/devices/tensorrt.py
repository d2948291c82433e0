"""The device ``tensorrt``: onnxruntime with TensorRT, for the same GPU as ``cuda``.

TensorRT compiles an engine for the GPU at hand, which takes minutes; engines are kept in the
user's cache folder. Operators that TensorRT lacks run on CUDA; nothing runs on the CPU.
"""

import ctypes
import sys
from importlib.util import find_spec
from pathlib import Path

import onnxruntime

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.core.tiling.window_sizes import largest_window, usual_window
from geosrseg.core.user_cache import VARIABLE, cache_root
from geosrseg.errors import DeviceError
from geosrseg.runtime.contract import INPUT
from geosrseg.runtime.devices import cuda
from geosrseg.runtime.devices.device import Limits
from geosrseg.runtime.devices.onnx_runtime import OnnxRuntime
from geosrseg.runtime.model.model_file import ModelFile

PROVIDER = "TensorrtExecutionProvider"
LIBRARIES = (
    ("nvinfer_10.dll", "nvonnxparser_10.dll")
    if sys.platform == "win32"
    else ("libnvinfer.so.10", "libnvonnxparser.so.10")
)
WHEEL = "tensorrt_libs"
"""Package of NVIDIA's wheels that contains the libraries."""

LARGEST_BATCH = 4
"""Most windows per run of an engine."""


class TensorRt(cuda.Cuda):
    """Like CUDA, with a largest window and batch."""

    loading_seconds = 1800.0  # the first time, it compiles for minutes

    def why_not(self) -> str | None:
        """Return what is missing and how to get it; this also loads TensorRT's libraries."""
        if PROVIDER not in onnxruntime.get_available_providers():
            return "this onnxruntime has no TensorRT provider: install onnxruntime-gpu in its place"
        reason = super().why_not()
        if reason is None and not _load_libraries():
            reason = (
                f"{LIBRARIES[0]} was not found: install TensorRT 10, for example with "
                "python -m pip install 'tensorrt-cu13-libs<11'"
            )
        return reason

    def limits(self, spec: ModelSpec) -> Limits:
        """Return the largest window and batch that the engine of a model is compiled for."""
        return Limits(window=largest_window(spec), batch=LARGEST_BATCH)

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
        """Load a model on the GPU; compile it if there is no engine in the cache."""
        folder = cache_folder() / file.sha256
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DeviceError(
                f"{folder} cannot be made ({error.strerror}): set {VARIABLE}"
            ) from error
        options = {
            "trt_engine_cache_enable": "1",
            "trt_engine_cache_path": str(folder),
            "trt_timing_cache_enable": "1",
            "trt_timing_cache_path": str(folder),
            "trt_fp16_enable": str(int(precision == "fp16")),
            **profile(file.spec),
        }
        providers = [(PROVIDER, options), (cuda.PROVIDER, cuda.OPTIONS)]
        return OnnxRuntime(cuda.content(file, precision), providers=providers, threads=threads)


def profile(spec: ModelSpec) -> dict[str, str]:
    """Return the input shapes that an engine is made for: smallest, most usual, largest.

    Shapes outside this range fail, so plans keep to `TensorRt.limits`.
    """
    shapes = {
        "min": (1, spec.multiple),
        "opt": (1, usual_window(spec)),
        "max": (LARGEST_BATCH, largest_window(spec)),
    }
    return {
        f"trt_profile_{name}_shapes": f"{INPUT}:{batch}x{len(spec.bands)}x{size}x{size}"
        for name, (batch, size) in shapes.items()
    }


def cache_folder() -> Path:
    """Return the folder of the engines, in the user's cache."""
    return cache_root() / "tensorrt"


def _load_libraries() -> bool:
    """Load TensorRT from the system's libraries or from NVIDIA's wheels."""
    wheel = find_spec(WHEEL)
    folders = [Path(), *map(Path, wheel.submodule_search_locations or [])] if wheel else [Path()]
    return all(any(_loads(folder / name) for folder in folders) for name in LIBRARIES)


def _loads(library: Path) -> bool:
    try:
        ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)
    except OSError:
        return False
    return True

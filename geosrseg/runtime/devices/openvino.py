"""The device ``openvino``: Intel's runtime, the fastest on an x86 CPU."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.errors import MissingExtraError
from geosrseg.extras import extra
from geosrseg.runtime.backend import Limits
from geosrseg.runtime.contract import INPUT, Port
from geosrseg.runtime.devices.flavours import flavoured, join_deconvolutions, project_convolutions
from geosrseg.runtime.devices.running import Running
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile

DEVICE = "CPU"  # OpenVINO's name for it

MEMORY_FACTOR = 1.8
"""1.3 to 1.8 were measured in fp32, with its own copy of the weights, 0.8 to 1.1 in bf16."""

KEPT = 2
"""Input shapes whose compiled model is kept: that of the windows, and that of the last batch."""


def why_not() -> str | None:
    """Whether OpenVINO is installed and loads."""
    try:
        with extra("cpu"):
            import_module("openvino")
    except MissingExtraError as error:
        return str(error)
    except ImportError as error:
        return f"the package openvino does not load ({error}): install it again"
    return None


def precisions() -> tuple[Precision, ...]:
    """bf16 too, where the CPU multiplies it (AVX-512 BF16, AMX)."""
    capabilities = (
        import_module("openvino").Core().get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
    )
    return ("bf16", "fp32") if "BF16" in capabilities else ("fp32",)


def free_memory() -> int:
    """The memory of the host."""
    return available_memory()


def limits(spec: ModelSpec) -> Limits:
    """None but memory."""
    return Limits()


def load(file: ModelFile, *, precision: Precision, threads: int | None) -> "OpenVino":
    """Load a model on the CPU."""
    content = flavoured(file.content, [join_deconvolutions, project_convolutions])
    return OpenVino(content, precision=precision, threads=threads)


@dataclass(frozen=True, slots=True)
class ModelPort:
    """An input or output, described as onnxruntime does; None stands for any length."""

    name: str
    type: str
    shape: tuple[int | None, ...]


class OpenVino:
    """A model that OpenVINO compiles anew for every shape of the input.

    With all sizes known it joins and splits without copying: 1.2 times the speed in fp32
    and 1.4 times in bf16, for a tenth of a second.
    """

    def __init__(self, content: bytes, *, precision: Precision, threads: int | None) -> None:
        openvino = import_module("openvino")
        types = {"fp32": openvino.Type.f32, "bf16": openvino.Type.bf16}
        self._options = {
            "INFERENCE_PRECISION_HINT": types[precision],
            "PERFORMANCE_HINT": "LATENCY",  # all threads work on one window
            "NUM_STREAMS": "1",
            **({"INFERENCE_NUM_THREADS": threads} if threads else {}),
        }
        self._core: Any = openvino.Core()
        self._model: Any = self._core.read_model(content)
        self._compiled: dict[tuple[int, ...], Any] = {}
        self._lock = threading.Lock()
        self._running = Running()

    @property
    def inputs(self) -> Sequence[Port]:
        return [_port(port) for port in self._model.inputs]

    @property
    def outputs(self) -> Sequence[Port]:
        return [_port(port) for port in self._model.outputs]

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            request = self._compile(lr.shape).create_infer_request()
            # Not infer(): with a single thread it computes in this one, and cannot be cancelled.
            request.start_async({INPUT: lr}, share_inputs=True)
            with self._running.until_done(request.cancel):
                request.wait()
        except Exception:
            with self._lock:
                self._compiled.clear()  # each holds the memory of its window
            raise
        # The arrays keep the request's memory alive; nothing else will write to it.
        return [request.get_tensor(name).data for name in outputs]

    def cancel(self) -> None:
        self._running.cancel()

    def _compile(self, shape: tuple[int, ...]) -> Any:
        with self._lock:
            compiled = self._compiled.pop(shape, None)
            if compiled is None:
                while len(self._compiled) >= KEPT:
                    del self._compiled[next(iter(self._compiled))]  # the one not used longest
                model = self._model.clone()
                model.reshape(list(shape))
                compiled = self._core.compile_model(model, DEVICE, self._options)
            self._compiled[shape] = compiled
            return compiled


def _port(port: Any) -> ModelPort:
    kind = "float" if port.element_type.to_string() == "f32" else port.element_type.to_string()
    shape = (None if size.is_dynamic else size.get_length() for size in port.partial_shape)
    return ModelPort(port.any_name, f"tensor({kind})", tuple(shape))

"""The device ``openvino``: Intel's runtime, the fastest on an x86 CPU."""

import threading
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geosrseg.core.precision import Precision
from geosrseg.errors import MissingExtraError
from geosrseg.extras import extra
from geosrseg.runtime.contract import INPUT
from geosrseg.runtime.devices.device import Device
from geosrseg.runtime.devices.flavours import flavoured, join_deconvolutions, project_convolutions
from geosrseg.runtime.devices.running import Running
from geosrseg.runtime.model.model_file import ModelFile

DEVICE = "CPU"  # OpenVINO's name for it

KEPT = 2
"""Input shapes whose compiled model is kept: that of the windows, and that of the last batch."""


class OpenVino(Device):
    """fp32, and bf16 where the CPU multiplies it (AVX-512 BF16, AMX)."""

    # 1.3 to 1.8 were measured in fp32, with its own copy of the weights, 0.8 to 1.1 in bf16.
    memory_factor = 1.8

    def why_not(self) -> str | None:
        """Whether OpenVINO is installed and loads."""
        try:
            with extra("cpu"):
                import_module("openvino")
        except MissingExtraError as error:
            return str(error)
        except ImportError as error:
            return f"the package openvino does not load ({error}): install it again"
        return None

    def precisions(self) -> tuple[Precision, ...]:
        """As OpenVINO says of the CPU."""
        core = import_module("openvino").Core()
        fast = "BF16" in core.get_property(DEVICE, "OPTIMIZATION_CAPABILITIES")
        return ("bf16", "fp32") if fast else ("fp32",)

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> "Compiled":
        """Load a model on the CPU."""
        content = flavoured(file.content, [join_deconvolutions, project_convolutions])
        return Compiled(content, precision=precision, threads=threads)


class Compiled:
    """A model that OpenVINO compiles again for every shape of the input.

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
        self._compiled: dict[tuple[Sequence[str], Sequence[int]], Any] = {}
        self._lock = threading.Lock()
        self._running = Running()

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        try:
            request = self._compile(tuple(outputs), lr.shape).create_infer_request()
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

    def _compile(self, outputs: tuple[str, ...], shape: tuple[int, ...]) -> Any:
        with self._lock:
            compiled = self._compiled.pop((outputs, shape), None)
            if compiled is None:
                while len(self._compiled) >= KEPT:
                    del self._compiled[next(iter(self._compiled))]  # the one not used longest
                model = self._model.clone()
                _drop_branches(model, outputs)
                model.reshape(list(shape))
                compiled = self._core.compile_model(model, DEVICE, self._options)
            self._compiled[outputs, shape] = compiled
            return compiled


def _drop_branches(model: Any, outputs: Sequence[str]) -> None:
    """Remove outputs that nobody asks for, with the layers that only they need.

    Compact draws its SR image beside the classes: without it a run is 1.2 times as fast. An
    output that other layers read stays. It costs nothing, and where layers are joined around it
    bf16 would round elsewhere: labels would depend on what else is asked for.
    """
    for result in model.get_results():
        source = result.input_value(0)
        if not source.get_names() & {*outputs} and len(source.get_target_inputs()) == 1:
            model.remove_result(result)

"""The backend of onnxruntime, with the execution provider that a device needs."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from geosrseg.errors import DeviceError
from geosrseg.runtime.contract import INPUT
from geosrseg.runtime.devices.running import Running

FATAL = 4  # onnxruntime's highest log level

Provider = tuple[str, Mapping[str, str]]
"""Name and options of an execution provider."""


class OnnxRuntime:
    """A model that onnxruntime runs on the given providers only."""

    def __init__(
        self, content: bytes, *, providers: Sequence[Provider], threads: int | None = None
    ) -> None:
        onnxruntime.set_default_logger_severity(FATAL)
        self._running = Running()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = FATAL
        options.intra_op_num_threads = threads or 0  # 0: as many as there are cores
        options.enable_mem_pattern = False  # it takes 1.3 to 1.7 times the memory for no speed
        if providers[-1][0] != "CPUExecutionProvider":
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        self._session: Any = onnxruntime.InferenceSession(
            content, options, providers=list(providers), enable_fallback=0
        )
        # onnxruntime only warns if a provider does not load.
        if self._session.get_providers()[: len(providers)] != [name for name, _ in providers]:
            raise DeviceError(f"onnxruntime could not load {providers[0][0]}")

    def run(self, outputs: Sequence[str], lr: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        options = onnxruntime.RunOptions()
        with self._running.until_done(lambda: setattr(options, "terminate", True)):
            return self._session.run(list(outputs), {INPUT: lr}, options)

    def cancel(self) -> None:
        self._running.cancel()

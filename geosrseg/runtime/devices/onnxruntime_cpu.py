"""The device ``cpu``: onnxruntime's own CPU kernels, which are everywhere."""

from geosrseg.core.precision import Precision
from geosrseg.core.spec import ModelSpec
from geosrseg.runtime.backend import Limits
from geosrseg.runtime.devices.flavours import flavoured, project_convolutions
from geosrseg.runtime.devices.onnx_runtime import OnnxRuntime
from geosrseg.runtime.host_memory import available_memory
from geosrseg.runtime.model.model_file import ModelFile

PROVIDER = ("CPUExecutionProvider", dict[str, str]())

MEMORY_FACTOR = 2.2
"""0.9 to 2.2 were measured: its memory pool grows in powers of two."""


def why_not() -> str | None:
    """None: a CPU there always is."""
    return None


def precisions() -> tuple[Precision, ...]:
    """Only fp32: of the others onnxruntime's CPU has next to no kernels."""
    return ("fp32",)


def free_memory() -> int:
    """The memory of the host."""
    return available_memory()


def limits(spec: ModelSpec) -> Limits:
    """None but memory."""
    return Limits()


def load(file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
    """Load a model on the CPU."""
    content = flavoured(file.content, [project_convolutions])
    return OnnxRuntime(content, providers=[PROVIDER], threads=threads)

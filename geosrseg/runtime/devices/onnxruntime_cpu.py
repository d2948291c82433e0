"""The device ``cpu``: onnxruntime's own CPU kernels, available everywhere."""

from geosrseg.core.precision import Precision
from geosrseg.runtime.devices.device import Device
from geosrseg.runtime.devices.flavours import flavoured, project_convolutions
from geosrseg.runtime.devices.onnx_runtime import OnnxRuntime
from geosrseg.runtime.model.model_file import ModelFile

PROVIDER = ("CPUExecutionProvider", dict[str, str]())


class OnnxRuntimeCpu(Device):
    """fp32 only: onnxruntime has almost no CPU kernels for the other precisions."""

    runs_all = True
    memory_factor = 2.2  # 0.9 to 2.2 were measured: its memory pool grows in powers of two
    channel_block = 16  # with AVX-512; 8 with AVX2

    def load(self, file: ModelFile, *, precision: Precision, threads: int | None) -> OnnxRuntime:
        content = flavoured(file.content, [project_convolutions])
        return OnnxRuntime(content, providers=[PROVIDER], threads=threads)

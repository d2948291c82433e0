import pytest

from geosrseg.errors import DeviceError, DeviceMemoryError
from geosrseg.runtime.failure import device_error, in_one_line

# as they were raised, cut short
WANT_OF_MEMORY = [
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Conv node. "
    "bfc_arena.cc:360 Failed to allocate memory for requested buffer of size 67634176",
    "Exception from src/inference/src/cpp/infer_request.cpp:224:\nException from "
    "src/plugins/intel_cpu/src/node.cpp:794:\nCheck 'ptr' failed at src/plugins/intel_cpu/src/"
    "cpu_memory.cpp:257:\nFailed to allocate 67634176 bytes of memory\n",
    "Exception from src/core/src/runtime/allocator.cpp:79:\nstd::bad_alloc\n",
    "CUDA failure 2: out of memory ; GPU=0",
    "CUDNN failure 4000: CUDNN_STATUS_ALLOC_FAILED",
]


@pytest.mark.parametrize("text", WANT_OF_MEMORY)
def test_want_of_memory_is_told_from_other_failures(text):
    error = device_error(RuntimeError(text), "tiny.onnx failed")
    assert isinstance(error, DeviceMemoryError)
    assert str(error) == "tiny.onnx failed: out of memory; a smaller window or batch needs less"


def test_pythons_own_want_of_memory_is_too():
    assert isinstance(device_error(MemoryError(), "x"), DeviceMemoryError)


def test_other_failures_are_told_in_one_line():
    error = device_error(RuntimeError("\nno kernel\nat node 5"), "tiny.onnx failed")
    assert type(error) is DeviceError
    assert str(error) == "tiny.onnx failed (no kernel)"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Exception from src/a.cpp:1:\nException from src/b.cpp:2:\nno such op\n", "no such op"),
        ("Exception from src/a.cpp:1:", "Exception from src/a.cpp:1:"),
        ("", "RuntimeError"),
    ],
)
def test_the_line_is_the_one_that_tells(text, line):
    assert in_one_line(RuntimeError(text)) == line

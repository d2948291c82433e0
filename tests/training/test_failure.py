"""What memory, disk and files do to a training is one line that says what helps."""

import errno
import resource

import pytest
import torch

from geosrseg.errors import DeviceMemoryError, RunError
from geosrseg.training.failure import explained
from geosrseg.training.run_folder.checkpoints import WholeCheckpointIO, is_whole
from geosrseg.training.run_folder.run import Run
from tests.forked import run_forked


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nGPU 0 has ..."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried ..."),
        RuntimeError("could not create a memory object"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.93 GB)"),
        MemoryError("Unable to allocate 3.2 GiB for an array"),
    ],
    ids=lambda error: str(error)[:20],
)
def test_memory_at_an_end_names_the_options_that_need_less(tmp_path, error):
    with (
        pytest.raises(DeviceMemoryError, match=r"--batch-size .* --crop, .* --precision") as raised,
        explained(Run(tmp_path)),
    ):
        raise error
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.ENOENT, "restore it"),
        (errno.EIO, "--overwrite"),
    ],
)
def test_a_file_that_fails_is_named(tmp_path, number, advice):
    with pytest.raises(RunError, match=rf"panel\.png: .*{advice}"), explained(Run(tmp_path)):
        raise OSError(number, "words of the system", "panel.png")


def test_a_bug_stays_a_bug(tmp_path):
    with pytest.raises(RuntimeError, match="shapes"), explained(Run(tmp_path)):
        raise RuntimeError("shapes cannot be broadcast")


def test_a_full_disk_leaves_the_checkpoint_before(tmp_path):
    """The file may not grow beyond a limit, which the system answers like a full disk."""
    path = tmp_path / "last.ckpt"
    WholeCheckpointIO().save_checkpoint({"weights": torch.zeros(10)}, path)

    def write_too_much():
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        with explained(Run(tmp_path)):
            WholeCheckpointIO().save_checkpoint({"weights": torch.zeros(100_000)}, path)

    ended = run_forked(write_too_much)
    assert ended.error.startswith(f"RunError: {path}: File too large: make room; {path} is intact")
    assert is_whole(path)
    assert [file.name for file in tmp_path.iterdir()] == ["last.ckpt"]

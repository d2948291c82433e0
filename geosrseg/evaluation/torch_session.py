"""Runs a network in PyTorch instead of onnxruntime.

This is 100 times faster where PyTorch has a GPU and onnxruntime has none. The export has checked
that the model file equals the network.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray

from geosrseg.errors import DeviceMemoryError
from geosrseg.networks.joint import JointNetwork
from geosrseg.runtime.session import Session


def torch_place() -> str:
    """Return PyTorch's fastest device."""
    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def without_tf32() -> Iterator[None]:
    """Disable TF32 temporarily: convolutions keep 24 bits of precision, not 11."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = before


class TorchSession(Session):
    """A session that runs a PyTorch network in fp32, without TF32.

    Args:
        session: session of the network's model file.
        place: PyTorch's name of the device.
    """

    def __init__(self, session: Session, network: JointNetwork, *, place: str) -> None:
        self.path, self.sha256, self.spec = session.path, session.sha256, session.spec
        self.device, self.precision = f"torch {place}", "fp32"
        self.bytes_per_pixel = session.bytes_per_pixel
        self.seconds = 0.0
        self._network = network.to(place).eval()
        self._place = place

    def run(self, lr: NDArray[np.float32]) -> NDArray[np.float32]:
        return self.run_with_sr(lr)[0]

    def run_with_sr(
        self, lr: NDArray[np.float32]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        with torch.inference_mode(), without_tf32():
            try:
                sr, logits = self._network(torch.from_numpy(lr).to(self._place))
                return logits.softmax(1).cpu().numpy(), sr.cpu().numpy()
            except torch.OutOfMemoryError as error:
                raise DeviceMemoryError(f"{self.spec.name} on {self.device}: {error}") from error

    def cancel(self) -> None:
        """Do nothing: a window takes a fraction of a second."""

    def close(self) -> None:
        self._network.cpu()

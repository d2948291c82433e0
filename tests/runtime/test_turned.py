"""Tests the mean over all poses with a backend whose output depends on the pose."""

import numpy as np

from geosrseg.runtime.session import open_session
from geosrseg.runtime.turned import Turned
from tests.tiny_models import make_onnx, make_spec


class Backend:
    """Returns the right neighbour of each pixel, doubled in size."""

    def __init__(self):
        self.seen = []

    def run(self, outputs, lr):
        self.seen.append(lr.copy())
        right = np.pad(lr, ((0, 0), (0, 0), (0, 0), (0, 1)), mode="edge")[..., 1:]
        return [right.repeat(2, -1).repeat(2, -2) for _ in outputs]


def test_every_pose_is_asked_once_and_its_answer_turned_back():
    backend = Backend()
    lr = np.random.default_rng(0).random((1, 2, 3, 5), np.float32)
    probabilities, sr = Turned(backend).run(["probabilities", "sr"], lr)
    assert sorted(image.shape[2:] for image in backend.seen) == [(3, 5)] * 4 + [(5, 3)] * 4
    assert len({image.tobytes() + bytes(image.shape) for image in backend.seen}) == 8
    edged = np.pad(lr, ((0, 0), (0, 0), (1, 1), (1, 1)), mode="edge")
    above, below = edged[..., :-2, 1:-1], edged[..., 2:, 1:-1]
    left, right = edged[..., 1:-1, :-2], edged[..., 1:-1, 2:]
    mean = ((above + below + left + right) / 4).repeat(2, -1).repeat(2, -2)
    assert np.allclose(probabilities, mean, atol=1e-6)
    assert np.array_equal(probabilities, sr)


def test_a_model_that_knows_no_direction_answers_as_before(tmp_path):
    file = tmp_path / "tiny.onnx"
    file.write_bytes(make_onnx(make_spec()).SerializeToString())
    lr = np.random.default_rng(0).random((1, 3, 8, 16), np.float32)
    with open_session(file, device="cpu") as plain:
        expected = plain.run_with_sr(lr)
    with open_session(file, device="cpu", tta=True) as turned:
        for one, other in zip(turned.run_with_sr(lr), expected, strict=True):
            assert np.allclose(one, other, atol=1e-6)

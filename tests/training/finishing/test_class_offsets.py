import numpy as np

from geosrseg.core.confusion import ConfusionMatrix
from geosrseg.training.finishing.class_offsets import FOUND, LARGEST, fit_class_offsets


def noisy_logits(shift):
    """Logits that tell three classes of unequal shares, all shifted by the same offsets."""
    random = np.random.default_rng(0)
    reference = random.choice(3, 20_000, p=[0.6, 0.35, 0.05]).astype(np.uint8)
    logits = random.normal(0, 1, (3, reference.size)) + 3 * np.eye(3)[:, reference]
    return (logits + np.array(shift)[:, None]).astype(np.float32), reference


def mean_iou(logits, reference):
    labels = logits.argmax(0).astype(np.uint8)
    return ConfusionMatrix.of(reference, labels, classes=3).mean_iou


def test_offsets_undo_a_wrong_preference():
    logits, reference = noisy_logits([0, 0, 2.5])
    offsets = fit_class_offsets(logits, reference)
    assert offsets[2] < offsets[:2].min()
    before, after = mean_iou(logits, reference), mean_iou(logits + offsets[:, None], reference)
    assert after > before + 0.1


def test_what_is_right_already_does_not_become_worse():
    logits, reference = noisy_logits([0, 0, 0])
    offsets = fit_class_offsets(logits, reference)
    assert mean_iou(logits + offsets[:, None], reference) >= mean_iou(logits, reference) - 0.01


def test_a_class_that_would_be_given_up_is_found():
    logits, reference = noisy_logits([0, 0, -3])
    logits[2] -= (reference == 2) * 3  # hardly to be told from the others
    before = ConfusionMatrix.of(reference, logits.argmax(0).astype(np.uint8), classes=3)
    assert before.iou[2] < FOUND
    shifted = logits + fit_class_offsets(logits, reference)[:, None]
    confusion = ConfusionMatrix.of(reference, shifted.argmax(0).astype(np.uint8), classes=3)
    assert confusion.iou[2] >= FOUND


def test_offsets_stay_small_even_for_a_class_that_was_not_learned():
    logits, reference = noisy_logits([0, 0, -50])
    assert np.abs(fit_class_offsets(logits, reference)).max() <= LARGEST


def test_a_reference_without_some_classes_does():
    logits, _ = noisy_logits([0, 0, 0])
    assert fit_class_offsets(logits, np.zeros(logits.shape[1], np.uint8)).shape == (3,)

import math

import numpy as np
import pytest
import torch
from torchmetrics.functional.image import peak_signal_noise_ratio

from geosrseg.evaluation.scoring.squared_error import SquaredError, mean_psnr


def images(seed, *, noise=0.1):
    rng = np.random.default_rng(seed)
    native = rng.random((3, 8, 9), np.float32)
    return native + rng.normal(0, noise, native.shape).astype(np.float32), native


def error(image, native, counted=None):
    done = SquaredError()
    everything = np.ones(native.shape[1:], np.bool_)
    done.add(image, native, counted=everything if counted is None else counted)
    return done


def test_psnr_is_that_of_a_loop_over_the_counted_pixels():
    image, native = images(0)
    counted = np.random.default_rng(1).random((8, 9)) < 0.5
    total, values = 0.0, 0
    for row, col in np.argwhere(counted):
        for band in range(3):
            total += (float(image[band, row, col]) - float(native[band, row, col])) ** 2
            values += 1
    expected = 10 * math.log10(values / total)
    assert error(image, native, counted).psnr == pytest.approx(expected, abs=1e-9)


def test_psnr_is_that_of_torchmetrics():
    image, native = images(2)
    expected = peak_signal_noise_ratio(
        torch.from_numpy(image), torch.from_numpy(native), data_range=1.0
    )
    assert error(image, native).psnr == pytest.approx(float(expected), abs=1e-4)


def test_parts_of_an_image_add_up():
    image, native = images(3)
    whole, parts = error(image, native), SquaredError()
    for rows in (slice(0, 3), slice(3, 8)):
        part = native[:, rows]
        parts.add(image[:, rows], part, counted=np.ones(part.shape[1:], np.bool_))
    assert parts.psnr == pytest.approx(whole.psnr)


def test_the_mean_is_over_images_and_not_over_pixels():
    """As the paper has it: a mean of decibels."""
    sharp, blurred = error(*images(4, noise=0.01)), error(*images(5, noise=0.3))
    assert mean_psnr([sharp, blurred]) == pytest.approx((sharp.psnr + blurred.psnr) / 2)


def test_equal_images_have_no_limit_and_nothing_has_no_psnr():
    _, native = images(6)
    assert error(native, native).psnr == math.inf
    assert math.isnan(SquaredError().psnr)
    assert math.isnan(mean_psnr([]))
    assert mean_psnr([SquaredError(), error(*images(7))]) == error(*images(7)).psnr

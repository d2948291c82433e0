import numpy as np

from geosrseg.core.band_counts import BINS, BandCounts

LEVELS = (0.001, 0.05, 0.5, 0.95, 0.999)


def test_quantiles_and_means_are_those_of_all_pixels():
    values = np.random.default_rng(0).gamma(2, 0.1, (2, 20_000))
    counts = BandCounts((-1.0, -1.0), (3.0, 3.0))
    for part in np.array_split(values, 7, axis=1):
        counts.add(part)
    assert counts.pixels == 20_000
    assert np.allclose(counts.means(), values.mean(axis=1))
    expected = np.quantile(values, LEVELS, axis=1).T
    assert np.allclose(counts.quantiles(LEVELS), expected, atol=4 / BINS + 1e-3)


def test_what_lies_beyond_counts_as_the_end():
    counts = BandCounts((0.0,), (1.0,))
    counts.add(np.array([[-5.0, 0.5, 9.0]]))
    (quantiles,) = counts.quantiles((0.01, 0.99))
    assert np.allclose(quantiles, (0, 1), atol=1 / BINS)

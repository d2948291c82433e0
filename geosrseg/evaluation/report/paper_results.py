"""The figures published in the paper, for comparison with measured ones.

Pereira and dos Santos, arXiv:2003.07955, Tables 1 and 2, as printed. Note:

- The printed means for Vaihingen are lower than the printed accuracies of its five classes allow.
  The published code averages over six classes, with clutter, which is never predicted correctly.
  They are not comparable to means over five classes.
- The printed PSNR of the bicubic image of Coffee is higher at 8x than at 4x.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaperResult:
    """One row of Tables 1 and 2.

    Attributes:
        upscale_factor: 1 for native images.
        protocol: ``end-to-end``, ``lr`` or ``hr``.
        psnr: in dB; None for native images.
        overall_accuracy: None for ``lr``, where the paper does not print it.
        normalized_accuracy: see `ConfusionMatrix`, also for `mean_iou` and `kappa`.
    """

    upscale_factor: int
    protocol: str
    psnr: float | None
    overall_accuracy: float | None
    normalized_accuracy: float
    mean_iou: float
    kappa: float


@dataclass(frozen=True, slots=True)
class PaperDataset:
    """The paper's results on one dataset.

    Attributes:
        classes: number of classes in the means.
        results: rows by decreasing degradation.
    """

    classes: int
    results: tuple[PaperResult, ...]


Row = tuple[int, str, float | None, float | None, float, float, float]
"""The values of a `PaperResult` in the order of its fields."""


def _dataset(classes: int, *rows: Row) -> PaperDataset:
    return PaperDataset(classes, tuple(PaperResult(*row) for row in rows))


PAPER_RESULTS = {
    "coffee": _dataset(
        2,
        (8, "end-to-end", 21.2722, 0.8003, 0.7784, 0.6477, 0.5653),
        (8, "lr", 25.7454, None, 0.6356, 0.4859, 0.2984),
        (4, "end-to-end", 26.055, 0.8205, 0.8093, 0.6807, 0.6162),
        (4, "lr", 24.2429, None, 0.7051, 0.5591, 0.4241),
        (1, "hr", None, 0.8330, 0.8168, 0.6972, 0.6390),
    ),
    "vaihingen": _dataset(
        6,
        (8, "end-to-end", 22.6199, 0.8288, 0.6625, 0.5654, 0.7730),
        (8, "lr", 25.3886, None, 0.5756, 0.4732, 0.6849),
        (4, "end-to-end", 26.3690, 0.8293, 0.6631, 0.5697, 0.7738),
        (4, "lr", 28.7458, None, 0.6020, 0.5028, 0.7116),
        (1, "hr", None, 0.8479, 0.6833, 0.5909, 0.7984),
    ),
    "thetford": _dataset(
        6,
        (8, "end-to-end", 25.5920, 0.8605, 0.8564, 0.6986, 0.7881),
        (8, "lr", 23.3354, None, 0.8295, 0.6385, 0.7297),
        (4, "end-to-end", 29.8188, 0.8733, 0.8417, 0.7117, 0.7997),
        (4, "lr", 26.8292, None, 0.8146, 0.6709, 0.7824),
        (1, "hr", None, 0.8452, 0.8184, 0.6463, 0.7636),
    ),
}
"""Results by name of the dataset."""

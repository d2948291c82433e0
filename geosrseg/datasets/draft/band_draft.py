"""BandDraft: bands, scale and nodata of a card, derived from the images."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rasterio.enums import ColorInterp

from geosrseg.core.normalize import Radiometry
from geosrseg.datasets.card.image_format import ImageFormat
from geosrseg.datasets.check.image_survey import PERCENTS, ImageSurvey, survey_image
from geosrseg.datasets.dataset_image import open_image
from geosrseg.errors import DatasetError
from geosrseg.raster.files.grid import Grid
from geosrseg.raster.files.raster_files import RasterFiles
from geosrseg.raster.header.header import describe_bands
from geosrseg.raster.header.radiometry import REFLECTANCE, TEN_THOUSANDTHS

COLOURS = {ColorInterp.red: "red", ColorInterp.green: "green", ColorInterp.blue: "blue"}

MIDDLE, TOP = PERCENTS.index(50.0), PERCENTS.index(98.0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SurveyedImage:
    """An image with the contents of its header.

    Attributes:
        survey: statistics of the digital numbers.
        names: names of the bands in the file, or else their colours; "" for neither.
        is_described: the file itself has distinct names for all bands.
        indexes: 1-based numbers of the bands without alpha.
        scales: scale of each band in the file; 1 where it states none.
        offsets: offset of each band in the file; 0 where it states none.
        nodata: number that the file declares; None without one.
    """

    survey: ImageSurvey
    grid: Grid
    names: tuple[str, ...]
    is_described: bool
    indexes: tuple[int, ...]
    scales: tuple[float, ...]
    offsets: tuple[float, ...]
    nodata: float | None

    @property
    def path(self) -> Path:
        return self.survey.path

    @property
    def states_scale(self) -> bool:
        """True where the file has a scale or offset to reflectance."""
        return set(self.scales) != {1.0} or set(self.offsets) != {0.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class BandDraft:
    """A card's description of its images.

    Attributes:
        low: reflectance that becomes 0, one per band.
        high: reflectance that becomes 1, one per band.
        indexes: numbers of the files' bands; None where names identify them.
        scale: None where the files state it.
        offset: None where the files state it, or 0.
        nodata: None where the files declare it or have none.
        remarks: points to check, one line each.
    """

    names: tuple[str, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    indexes: tuple[int, ...] | None
    scale: float | None
    offset: float | None
    nodata: float | None
    remarks: tuple[str, ...]


def survey_for_draft(path: Path, files: RasterFiles) -> SurveyedImage:
    """Measure an image's digital numbers.

    Raises:
        DatasetError: the image cannot be read.
    """
    with files.use(path) as dataset:
        bands = [band for band in describe_bands(dataset) if not band.is_alpha]
        kinds = dataset.colorinterp
        names = tuple(band.name or COLOURS.get(kinds[band.index - 1], "") for band in bands)
        indexes = tuple(band.index for band in bands)
        scales = tuple(float(dataset.scales[index - 1]) for index in indexes)
        offsets = tuple(float(dataset.offsets[index - 1]) for index in indexes)
        nodata = dataset.nodatavals[indexes[0] - 1] if indexes else None
    if not indexes:
        raise DatasetError(f"{path} has only an alpha band")
    bare = (0.0,) * len(indexes)
    stored = ImageFormat(indexes=indexes, radiometry=Radiometry.uniform(len(indexes)))
    numbered = tuple(f"band{index}" for index in indexes)
    image = open_image(path, bands=numbered, stored=stored, files=files)
    return SurveyedImage(
        survey=survey_image(image, low=bare, high=bare),
        grid=image.grid,
        names=names,
        is_described=len({band.name for band in bands} - {""}) == len(bands),
        indexes=indexes,
        scales=scales,
        offsets=offsets,
        nodata=nodata,
    )


def draft_bands(
    images: Sequence[SurveyedImage], *, scale: float | None = None, offset: float | None = None
) -> BandDraft:
    """Draft bands that fit all images.

    Args:
        scale: reflectance = scale · number + offset, where the user knows it.
        offset: see `scale`.

    Raises:
        DatasetError: the images have different bands or types.
    """
    _check_alike(images)
    names, indexes, remarks = _name_bands(images)
    if scale is None and offset is None:
        scale, said = _find_scale(images)
        remarks += said
    else:
        scale = 1.0 if scale is None else scale
        if not scale or not math.isfinite(scale) or not math.isfinite(offset or 0.0):
            raise DatasetError(
                f"`scale` {scale:g}, `offset` {offset or 0:g}: expected finite numbers and no "
                "scale of 0"
            )
    low, high = _range(images, names, scale, offset or 0.0)
    nodata, said = _find_nodata(images)
    return BandDraft(
        names=names,
        low=low,
        high=high,
        indexes=indexes,
        scale=scale,
        offset=offset,
        nodata=nodata,
        remarks=(*remarks, *said),
    )


def _check_alike(images: Sequence[SurveyedImage]) -> None:
    """Refuse images that one card cannot describe."""
    for what, values in (
        ("bands", [str(len(image.indexes)) for image in images]),
        ("type", [image.survey.dtype for image in images]),
    ):
        usual, count = Counter(values).most_common(1)[0]
        if count < len(images):
            odd = next(i for i, value in enumerate(values) if value != usual)
            raise DatasetError(
                f"{images[odd].path} differs from the others: {what} {values[odd]}, while {count} "
                f"of {len(images)} images have {usual}: store them alike, or leave it out"
            )


def _name_bands(
    images: Sequence[SurveyedImage],
) -> tuple[tuple[str, ...], tuple[int, ...] | None, list[str]]:
    """Return band names, band numbers where names do not suffice, and remarks."""
    named = [image for image in images if image.is_described]
    first = (named or images)[0]
    if len(named) == len(images) and all(set(i.names) == set(first.names) for i in images):
        return first.names, None, []
    if other := next((image for image in named if image.names != first.names), None):
        raise DatasetError(
            f"{other.path} has the bands {', '.join(other.names)}, and {first.path} "
            f"{', '.join(first.names)}: give all images the same band names"
        )
    if named:
        bare = next(image for image in images if not image.is_described)
        remark = f"{bare.path.name} does not name its bands: are they in the same order?"
        return first.names, first.indexes, [remark]
    distinct = len(set(first.names) - {""}) == len(first.names)
    if distinct and all(image.names == first.names for image in images):
        return first.names, first.indexes, []
    names = tuple(f"band{number}" for number in range(1, len(first.indexes) + 1))
    return names, first.indexes, ["the files do not name their bands: write their names"]


def _find_scale(images: Sequence[SurveyedImage]) -> tuple[float | None, list[str]]:
    """Return the scale that a card has to state, None where the files state it, and remarks."""
    stating = [image for image in images if image.states_scale]
    if len(stating) == len(images):
        return None, []
    if stating:
        bare = next(image for image in images if not image.states_scale)
        raise DatasetError(
            f"{stating[0].path} states the scale {stating[0].scales[0]:g} and {bare.path} none: "
            "give the scale of all images, `scale`"
        )
    dtype = images[0].survey.dtype
    values = np.array([image.survey.percentiles for image in images])
    if dtype == "uint8":
        return 1 / 255, []
    low, top = float(np.nanmin(values)), float(np.nanmax(values[..., TOP]))
    middle = float(np.nanmedian(values[..., MIDDLE]))
    if dtype.startswith("float") and low >= REFLECTANCE[0] and top <= REFLECTANCE[1]:
        return 1.0, []
    signed = dtype.startswith("float") or dtype == "int16"
    in_range = low >= TEN_THOUSANDTHS[0] and 500 < top <= TEN_THOUSANDTHS[1]
    if signed and in_range and 100 <= middle <= 6000:
        return 1e-4, ["the files state no scale: their numbers look like reflectance x 10000"]
    return 1.0, [
        f"the files state no scale, so [bands] has their own numbers, {low:g} to {top:g}. For "
        "reflectance, draft the card again with --scale 0.0000275 --offset -0.2 (Landsat "
        "Collection 2 Level 2), or --scale 0.0001 (reflectance x 10000)"
    ]


def _range(
    images: Sequence[SurveyedImage], names: Sequence[str], scale: float | None, offset: float
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return low and high of each band: rounded limits of nearly all pixels."""
    found = []
    for image in images:
        if np.isfinite(image.survey.percentiles).all():
            slope = np.array(image.scales if scale is None else (scale,) * len(names))
            shift = np.array(image.offsets if scale is None else (offset,) * len(names))
            values = np.sort(image.survey.percentiles * slope[:, None] + shift[:, None])
            if set(image.names) == set(names):
                values = values[[image.names.index(name) for name in names]]
            found.append(values)
    if not found:
        raise DatasetError(f"no image has a valid pixel, first {images[0].path}")
    bands = np.array(found).swapaxes(0, 1)  # (bands, images, percents)
    ends = [_rounded(float(band[:, 0].min()), float(band[:, -1].max())) for band in bands]
    low, high = zip(*ends, strict=True)
    return low, high


def _rounded(low: float, high: float) -> tuple[float, float]:
    """Round outwards, to between a hundredth and a tenth of the range."""
    if high <= low:
        high = low + max(abs(low), 1.0) * 0.01
    step = 10.0 ** (math.floor(math.log10(high - low)) - 1)
    ends = math.floor(low / step + 1e-6) * step, math.ceil(high / step - 1e-6) * step
    first, last = (float(f"{value:.6g}") for value in ends)
    return first, last


def _find_nodata(images: Sequence[SurveyedImage]) -> tuple[float | None, list[str]]:
    """Return the undeclared number that marks missing pixels, if any, and remarks."""
    places: dict[float, list[tuple[float, Path]]] = {}
    for image in images:
        for number, share in image.survey.markers:
            places.setdefault(number, []).append((share, image.path))
    if not places:
        return None, []
    number = max(places, key=lambda value: (len(places[value]), max(places[value])))
    share, path = max(places[number])
    remarks = [
        f"{number:g} counts as nodata: {share:.1%} of the pixels of {path.name} have it in all "
        f"bands ({len(places[number])} of {len(images)} images)"
    ]
    declared = {image.nodata for image in images if image.nodata not in (None, number)}
    remarks += [f"it replaces {value:g}, which files declare" for value in declared]
    others = [value for value in places if value != number]
    remarks += [f"{value:g} seems to mark missing pixels too" for value in others]
    return number, remarks

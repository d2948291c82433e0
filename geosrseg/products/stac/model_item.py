"""The STAC item of a model, with the Machine Learning Model extension (MLM) 1.4."""

from datetime import UTC, datetime
from typing import Any

import pystac
from pystac.extensions.file import FileExtension
from pystac.extensions.mlm import (
    AssetGeneralMLMExtension,
    InputStructure,
    MLMExtension,
    ModelInput,
    ModelOutput,
    ResultStructure,
    TaskType,
    ValueScaling,
    ValueScalingType,
)
from pystac.extensions.raster import DataType, RasterExtension

from geosrseg.core.domain import LEVELS
from geosrseg.core.spec import ModelSpec
from geosrseg.products.stac import terms as stac
from geosrseg.runtime.model.model_file import ModelFile

ALWAYS = datetime(1900, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
"""Time range of a model, which has no time itself; from the examples of the MLM extension."""


def model_item(file: ModelFile) -> dict[str, Any]:
    """The item as a plain dictionary."""
    spec = file.spec
    item = pystac.Item(
        id=f"{spec.name}-{spec.version}",
        geometry=None,
        bbox=None,
        datetime=None,
        start_datetime=ALWAYS[0],
        end_datetime=ALWAYS[1],
        properties={
            "title": f"{spec.name} {spec.version}",
            "description": spec.training_data,
            "license": stac.licence_code(spec.licence),
            **_domain(spec),
        },
    )
    MLMExtension.ext(item, add_if_missing=True).apply(
        name=spec.name,
        architecture="super-resolution and segmentation, end to end",
        tasks=[TaskType.SUPER_RESOLUTION, TaskType.SEMANTIC_SEGMENTATION],
        framework="ONNX",
        pretrained=True,
        memory_size=len(file.content),
        input=[_input(spec)],
        output=_outputs(spec),
    )
    asset = pystac.Asset(
        href=file.path.resolve().as_uri(),
        title="Model file",
        media_type="application/octet-stream; application=onnx",
        roles=["mlm:model", "mlm:weights"],
        # STAC 1.1 has bands here, MLM 1.4 requires those of the raster extension.
        extra_fields={
            "bands": [{"name": name} for name in spec.bands],
            "raster:bands": [{"name": name, "data_type": "float32"} for name in spec.bands],
        },
    )
    item.add_asset("model", asset)
    RasterExtension.add_to(item)
    AssetGeneralMLMExtension.ext(asset).apply(artifact_type="onnx")
    FileExtension.ext(asset, add_if_missing=True).apply(
        checksum=stac.SHA256_MULTIHASH + file.sha256, size=len(file.content)
    )
    return item.to_dict(include_self_link=False)


def _domain(spec: ModelSpec) -> dict[str, Any]:
    """The known properties of the model's training domain."""
    domain = spec.domain
    said = {
        "gsd": domain.resolution,
        "instruments": [sensor.lower() for sensor in domain.sensors],
        "geosrseg:offered_resolutions": list(domain.offered),
        "geosrseg:reflectance": domain.reflectance,
        "geosrseg:region": domain.region,
        "geosrseg:dates": domain.dates,
    }
    quantiles = {
        "levels": list(LEVELS),
        **{name: list(band) for name, band in zip(spec.bands, domain.quantiles, strict=False)},
    }
    known = {key: value for key, value in said.items() if value}
    return known | ({"geosrseg:quantiles": quantiles} if domain.quantiles else {})


def _input(spec: ModelSpec) -> ModelInput:
    low, high = spec.normalization.low, spec.normalization.high
    scaling = [
        ValueScaling.create(ValueScalingType.MIN_MAX, minimum=least, maximum=most)
        for least, most in zip(low, high, strict=True)
    ]
    lr = ModelInput.create(
        name="lr",
        description="Reflectance, scaled from low to high of each band to 0 to 1 and clipped",
        bands=list(spec.bands),
        input=InputStructure.create(
            shape=[-1, len(spec.bands), -1, -1],
            dim_order=["batch", "bands", "height", "width"],
            data_type=DataType.FLOAT32,
        ),
    )
    if spec.domain.quantiles:
        lr.properties["statistics"] = [
            {"minimum": band[0], "maximum": band[-1], "mean": mean}
            for band, mean in zip(spec.domain.quantiles, spec.domain.means, strict=True)
        ]
    # MLM has one scaling per band, but pystac's own property holds a single one.
    lr.properties["value_scaling"] = [item.to_dict() for item in scaling]
    return lr


def _outputs(spec: ModelSpec) -> list[ModelOutput]:
    def result(channels: int, axis: str) -> ResultStructure:
        return ResultStructure.create(
            shape=[-1, channels, -1, -1],
            dim_order=["batch", axis, "height", "width"],
            data_type=DataType.FLOAT32,
        )

    return [
        ModelOutput.create(
            name="probabilities",
            tasks=[TaskType.SEMANTIC_SEGMENTATION],
            result=result(len(spec.legend), "classes"),
            description=f"Probability of each class, {spec.upscale_factor} times finer",
            classes=stac.classes(spec.legend),
        ),
        ModelOutput.create(
            name="sr",
            tasks=[TaskType.SUPER_RESOLUTION],
            result=result(len(spec.bands), "bands"),
            description=f"The input's bands, {spec.upscale_factor} times finer",
        ),
    ]

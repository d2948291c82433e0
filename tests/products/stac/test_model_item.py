import hashlib

from pystac.extensions.file import FileExtension
from pystac.extensions.mlm import AssetGeneralMLMExtension, MLMExtension

from geosrseg.core.domain import Domain
from geosrseg.products.stac.model_item import model_item
from geosrseg.runtime.model.model_file import read_model_file
from tests.stac_schemas import read_item


def test_the_item_says_what_goes_in_and_what_comes_out(tiny_model):
    item = read_item(model_item(read_model_file(tiny_model(bands=2, classes=3))))
    model = MLMExtension.ext(item)
    assert (item.properties["mlm:name"], model.framework) == ("tiny", "ONNX")
    assert [task.value for task in model.tasks] == ["super-resolution", "semantic-segmentation"]
    (lr,) = model.input
    assert lr.bands == ["band 1", "band 2"]
    assert lr.input.shape == [-1, 2, -1, -1]
    assert lr.properties["value_scaling"] == [{"type": "min-max", "minimum": 0, "maximum": 1}] * 2
    probabilities, sr = model.output
    assert (probabilities.name, probabilities.result.shape) == ("probabilities", [-1, 3, -1, -1])
    assert [c.value for c in probabilities.classes] == [1, 2, 3]
    assert (sr.name, sr.result.shape) == ("sr", [-1, 2, -1, -1])


def test_the_item_says_what_the_model_learned_from(tiny_model):
    domain = Domain(
        resolution=30.0,
        offered=(10.0,),
        reflectance="surface",
        sensors=("OLI",),
        quantiles=(tuple(range(9)), tuple(range(1, 10))),
        means=(4.0, 5.0),
    )
    item = read_item(model_item(read_model_file(tiny_model(bands=2, domain=domain))))
    assert item.properties["gsd"] == 30
    assert item.properties["instruments"] == ["oli"]
    assert item.properties["geosrseg:quantiles"]["band 2"] == list(range(1, 10))
    (lr,) = MLMExtension.ext(item).input
    assert lr.properties["statistics"][1] == {"minimum": 1, "maximum": 9, "mean": 5}


def test_the_model_file_is_an_asset_with_its_checksum(tiny_model):
    path = tiny_model()
    asset = read_item(model_item(read_model_file(path))).assets["model"]
    assert asset.href == path.as_uri()
    assert AssetGeneralMLMExtension.ext(asset).artifact_type == "onnx"
    assert "mlm:model" in asset.roles
    assert [band["name"] for band in asset.extra_fields["bands"]] == ["band 1", "band 2", "band 3"]
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert FileExtension.ext(asset).checksum == "1220" + digest

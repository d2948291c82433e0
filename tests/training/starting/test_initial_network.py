"""A training that begins with weights somebody has, and parts that keep them."""

from dataclasses import replace

import pytest
import torch

from geosrseg.datasets.card.card import read_card
from geosrseg.errors import ModelError, RunError, RunWarning
from geosrseg.networks.framework import NetworkConfig
from geosrseg.networks.presets import configure
from geosrseg.networks.recipe import Recipe
from geosrseg.training.finishing.export import export
from geosrseg.training.starting.initial_network import initial_network
from geosrseg.training.starting.start import Start
from geosrseg.training.train import train
from tests.tiny_datasets import CARD, write_dataset

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

NETWORK = NetworkConfig(
    protocol="end-to-end",
    bands=2,
    classes=2,
    upscale_factor=4,
    sr_options={"base": 2, "feat": 4, "stages": 2},
    residual=True,
    seg="unet",
    seg_options={"width": 1 / 16},
)
RECIPE = Recipe(
    alpha=1,
    beta=1,
    sr_rate=1e-2,
    seg_rate=1e-2,
    epochs=1,
    chips_per_epoch=4,
    batch_size=2,
    chip_size=64,
    averaging=0.5,
    class_offsets=True,
    precision="fp32",
)


@pytest.fixture(scope="module")
def card(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dataset")
    return read_card(write_dataset(folder), data=folder)


@pytest.fixture(scope="module")
def run(card, tmp_path_factory):
    return train(card, tmp_path_factory.mktemp("runs") / "run", network=NETWORK, recipe=RECIPE)


@pytest.fixture(scope="module")
def model(run, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "model.onnx"
    export(run.path, path)
    return path


def weights_of(network):
    return {name: value.clone() for name, value in network.state_dict().items()}


def same(one, other, names):
    return all(torch.equal(one[name], other[name]) for name in names)


@pytest.mark.parametrize("what", ["folder", "weights.safetensors", "best.ckpt"])
def test_a_run_begins_with_a_runs_weights(card, run, what):
    init = run.path if what == "folder" else run.path / what
    begun = initial_network(NETWORK, card, Start(init=init))
    expected = run.best_network() if what == "best.ckpt" else run.network()
    learned = dict(expected.named_parameters())
    assert same(weights_of(begun.network), weights_of(expected), learned)
    assert not begun.folded


def test_a_run_begins_with_a_model_files_weights(card, run, model):
    begun = initial_network(NETWORK, card, Start(init=model))
    lr = torch.rand(1, 2, 32, 32)
    with torch.inference_mode():
        expected, found = run.network()(lr)[1], begun.network.eval()(lr)[1]
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("frozen", ["sr", "seg", "encoder", "sr,encoder"])
@pytest.mark.slow
def test_a_frozen_part_does_not_change(card, run, tmp_path, frozen):
    """Its weights and statistics, bit for bit; all others learn."""
    start = Start(init=run.path, freeze=frozen)
    trained = train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, start=start)
    before, after = weights_of(run.network()), weights_of(trained.network())
    prefixes = {"sr": "sr.", "seg": "seg.", "encoder": "seg.encoder."}
    kept = tuple(prefixes[part] for part in frozen.split(","))
    assert same(before, after, [name for name in before if name.startswith(kept)])
    learned = [name for name, _ in trained.network().named_parameters()]
    changed = [name for name in learned if not torch.equal(before[name], after[name])]
    assert {name for name in learned if not name.startswith(kept)} == set(changed)
    assert trained.config().freeze == tuple(frozen.split(","))
    assert len(trained.config().init) == 1


@pytest.mark.slow
def test_statistics_of_a_frozen_encoder_stay(card, tmp_path):
    """SegNet's encoder has batch normalizations, which count what they are shown."""
    network = replace(NETWORK, seg="segnet", sr="espcn", sr_options={})
    first = train(card, tmp_path / "first", network=network, recipe=RECIPE)
    start = Start(init=first.path, freeze="encoder")
    second = train(card, tmp_path / "second", network=network, recipe=RECIPE, start=start)
    before, after = weights_of(first.network()), weights_of(second.network())
    assert same(before, after, [name for name in before if name.startswith("seg.encoder.")])
    changed = [name for name in before if name.startswith("seg.decoder.")]
    assert any("running_mean" in name for name in changed)
    assert not same(before, after, changed)


@pytest.mark.slow
def test_resumed_it_begins_with_the_same_weights(card, run, model, tmp_path):
    start = Start(init=model)
    train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, start=start)
    longer = replace(RECIPE, epochs=2)
    resumed = train(
        card, tmp_path / "run", network=NETWORK, recipe=longer, start=start, resume=True
    )
    assert resumed.finished
    with pytest.raises(RunError, match=r"started with init \['\w+'\], not \[\]"):
        train(card, tmp_path / "run", network=NETWORK, recipe=longer, resume=True)


@pytest.mark.parametrize("name", ["red", "Red"])
def test_bands_are_normalized_as_the_weights_know_them(card, run, tmp_path, name):
    path = write_dataset(tmp_path)
    path.write_text(path.read_text().replace("red = [0.0, 0.5]", f"{name} = [0.0, 0.4]"))
    other = read_card(path, data=tmp_path)
    with pytest.warns(
        RunWarning, match=rf"becomes 0 and 1 is {name} = \[0, 0.5\], as in .*, and not as in"
    ):
        begun = initial_network(NETWORK, other, Start(init=run.path))
    assert (begun.card.low, begun.card.high) == (card.low, card.high)


def test_what_begins_anew_is_named(card, run):
    wider = replace(NETWORK, seg_options={"width": 1 / 8})
    with pytest.warns(RunWarning, match=r"start at random: seg.encoder.0.0, .* and|more layers"):
        initial_network(wider, card, Start(init=run.path))


def test_bands_and_their_differences_that_do_not_fit_are_named(tmp_path):
    bands = ("red", "green", "blue", "nir", "swir1", "swir2", "coastal")
    lines = "\n".join(f"{band} = [0.0, 1.0]" for band in bands)
    path = write_dataset(tmp_path, card=CARD.replace("red = [0.0, 0.5]\nnir = [0.0, 1.0]", lines))
    network, _ = configure(
        "compact", protocol="end-to-end", bands=len(bands), classes=2, upscale_factor=3
    )
    with pytest.warns(RunWarning) as warned:
        initial_network(network, read_card(path, data=tmp_path), Start(init="landcover-3x"))
    said = [str(each.message) for each in warned]
    assert "landcover-3x lacks bands, whose weights start at zero: coastal" in said
    assert (
        "this network lacks inputs that landcover-3x has learned from: nir - red, green - nir, "
        "green - swir1, nir - swir1, nir - swir2: a card with the bands blue, green, red, nir, "
        "swir1, swir2, in this order, keeps them"
    ) in said


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"freeze": "sr"}, "as random ones would stay random"),
        ({"init": "x", "freeze": "head"}, "expected some of sr, seg, encoder"),
    ],
)
def test_what_cannot_be_a_start_is_refused(values, message):
    with pytest.raises(RunError, match=message):
        Start(**values)


def test_nothing_left_to_learn_is_refused(card, run, tmp_path):
    start = Start(init=run.path, freeze=["sr", "seg"])
    with pytest.raises(RunError, match="no part is left to train"):
        train(card, tmp_path / "run", network=NETWORK, recipe=RECIPE, start=start)
    lr = replace(NETWORK, protocol="lr", residual=False)
    with pytest.raises(RunError, match="no such part, expected seg, encoder"):
        train(
            card,
            tmp_path / "run",
            network=lr,
            recipe=RECIPE,
            start=Start(init=run.path, freeze="sr"),
        )
    assert not (tmp_path / "run").exists()


def test_a_model_of_another_network_says_which_it_is(card):
    with pytest.raises(RunError, match=r"use `preset=compact`, `upscale=3`"):
        initial_network(NETWORK, card, Start(init="landcover-3x"))


def test_a_model_that_is_not_there_is_refused(card):
    with pytest.raises(ModelError, match="no model 'nothing'"):
        initial_network(NETWORK, card, Start(init="nothing"))


def test_an_encoder_of_the_library_begins_with_its_own_weights(card, tmp_path):
    smp = pytest.importorskip("segmentation_models_pytorch")
    network = replace(NETWORK, seg="smp:unet/resnet18", seg_options={})
    published = smp.create_model("unet", "resnet18", encoder_weights=None, in_channels=3, classes=5)
    backbone = published.encoder.state_dict() | {"fc.weight": torch.zeros(1000, 512)}
    torch.save(backbone, tmp_path / "resnet18.pth")
    begun = initial_network(network, card, Start(init_seg=tmp_path / "resnet18.pth"))
    loaded = begun.network.seg.encoder.state_dict()
    assert same(loaded, backbone, [name for name in loaded if name != "conv1.weight"])
    # two bands in place of three, with the sum over them as it was
    torch.testing.assert_close(loaded["conv1.weight"].sum(1), backbone["conv1.weight"].sum(1))
    # as Lightning keeps a whole network of the library
    whole = {f"model.{name}": value for name, value in published.state_dict().items()}
    torch.save({"state_dict": whole}, tmp_path / "epoch.ckpt")
    begun = initial_network(network, card, Start(init_seg=tmp_path / "epoch.ckpt"))
    assert same(begun.network.seg.encoder.state_dict(), loaded, [*loaded])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name: name.replace("layer", "stage"), "missing layer1.0.conv1.weight"),
        (lambda name: name.replace("layer4", "layer5"), "missing layer4.0.conv1.weight"),
        (lambda name: name.replace("layer1.1", "layer1.2"), "unexpected layer1.2.conv1.weight"),
    ],
    ids=["renamed", "partly", "deeper"],
)
def test_an_encoder_of_other_layers_is_refused_by_their_names(card, tmp_path, change, message):
    smp = pytest.importorskip("segmentation_models_pytorch")
    network = replace(NETWORK, seg="smp:unet/resnet18", seg_options={})
    own = smp.create_model("unet", "resnet18", encoder_weights=None).encoder.state_dict()
    torch.save(own | {change(name): value for name, value in own.items()}, tmp_path / "more.pth")
    torch.save({change(name): value for name, value in own.items()}, tmp_path / "other.pth")
    with pytest.raises(RunError, match=message):
        initial_network(network, card, Start(init_seg=tmp_path / "other.pth"))
    if "unexpected" in message:
        with pytest.raises(RunError, match=message):  # though it has all that is needed
            initial_network(network, card, Start(init_seg=tmp_path / "more.pth"))


def test_weights_that_are_no_numbers_are_refused(card, tmp_path):
    smp = pytest.importorskip("segmentation_models_pytorch")
    network = replace(NETWORK, seg="smp:unet/resnet18", seg_options={})
    own = smp.create_model("unet", "resnet18", encoder_weights=None).encoder.state_dict()
    own["bn1.bias"] = own["bn1.bias"] * torch.nan
    torch.save(own, tmp_path / "spoilt.pth")
    with pytest.raises(RunError, match=r"not finite in bn1\.bias"):
        initial_network(network, card, Start(init_seg=tmp_path / "spoilt.pth"))

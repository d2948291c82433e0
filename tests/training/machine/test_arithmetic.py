import pytest
import torch

from geosrseg.errors import RunError
from geosrseg.networks.presets import PRESETS
from geosrseg.networks.recipe import Recipe
from geosrseg.training.machine.arithmetic import choose_arithmetic
from geosrseg.training.machine.trainer import PRECISIONS


@pytest.mark.parametrize(
    ("flags", "taken"),
    [
        ({"avx2": True, "avx512_f": True, "avx512_bf16": False}, "fp32"),
        ({"avx2": True, "avx512_bf16": True}, "bf16"),
        ({"amx_bf16": True}, "bf16"),
        ({"neon": True, "bf16": True}, "bf16"),
        ({"neon": True}, "fp32"),
    ],
)
def test_auto_is_bf16_only_where_the_cpu_multiplies_it(monkeypatch, flags, taken):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: flags, raising=False)
    assert choose_arithmetic("auto", "cpu") == taken


@pytest.mark.parametrize("supported", [True, False])
def test_auto_asks_the_gpu_that_trains(monkeypatch, supported):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: supported)
    assert choose_arithmetic("auto", "cuda") == ("bf16" if supported else "fp32")


@pytest.mark.parametrize("name", PRECISIONS)
def test_a_precision_by_name_is_taken_as_it_is(name):
    assert choose_arithmetic(name, "cpu") == name


def test_an_unknown_precision_is_one_line():
    with pytest.raises(RunError, match="--precision int8: expected one of auto, fp32, bf16, fp16"):
        choose_arithmetic("int8", "cpu")


def test_auto_is_the_default_of_every_preset():
    assert Recipe().precision == "auto"
    assert {preset.recipe.precision for preset in PRESETS.values()} == {"auto"}

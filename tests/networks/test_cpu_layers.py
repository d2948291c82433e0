"""Against the layers of PyTorch that they derive from."""

import copy

import pytest
import torch
from torch import nn

from geosrseg.networks.cpu_layers import (
    Deconvolution,
    OneSlopePReLU,
    PointwiseConvolution,
    ThinConvolution,
)
from geosrseg.networks.super_resolution.dbpn import KERNELS

CASES = {
    **{f"deconvolution {k}": (Deconvolution, nn.ConvTranspose2d, k) for k in KERNELS.values()},
    "pointwise": (PointwiseConvolution, nn.Conv2d, (1,)),
    "thin": (ThinConvolution, nn.Conv2d, (3, 1, 1)),
}


def results(layer, x, grad):
    layer, x = copy.deepcopy(layer), x.clone().requires_grad_()
    y = layer(x)
    y.backward(grad.to(y.dtype))
    return y.detach(), x.grad, *[parameter.grad for parameter in layer.parameters()]


@pytest.fixture(params=[*CASES, "prelu"])
def case(request):
    torch.manual_seed(0)
    if request.param == "prelu":
        ours, usual = OneSlopePReLU(), nn.PReLU()
        nn.init.constant_(ours.weight, -0.3)
    else:
        kind, derived, kernel = CASES[request.param]
        ours, usual = kind(4, 3, *kernel), derived(4, 3, *kernel)
    ours = ours.to(memory_format=torch.channels_last)
    usual.load_state_dict(ours.state_dict())
    x = torch.randn(2, 4, 5, 6)
    return ours, usual, x, torch.randn_like(usual(x))


def test_values_and_gradients_are_the_same(case):
    ours, usual, x, grad = case
    for memory_format in (torch.channels_last, torch.contiguous_format):
        image = x.contiguous(memory_format=memory_format)
        for mine, theirs in zip(
            results(ours, image, grad), results(usual, image, grad), strict=True
        ):
            torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-4)


def test_gradients_are_right_in_double_precision(case):
    ours, _, x, _ = case
    image = x[:1, :, :2, :3].double().requires_grad_()
    assert torch.autograd.gradcheck(ours.double(), image, fast_mode=True)


def test_under_autocast_it_computes_in_its_type(case):
    ours, usual, x, grad = case
    with torch.autocast("cpu", torch.bfloat16):
        mine, theirs = results(ours, x, grad), results(usual, x, grad)
    assert mine[0].dtype == theirs[0].dtype
    for a, b in zip(mine, theirs, strict=True):
        assert a.dtype == b.dtype
        torch.testing.assert_close(a, b, atol=0.5, rtol=0.05)


def test_without_gradients_it_is_the_usual_layer(case):
    ours, usual, x, _ = case
    with torch.no_grad():  # in double precision: kernels differ by CPU, and round differently
        torch.testing.assert_close(ours.double()(x.double()), usual.double()(x.double()))

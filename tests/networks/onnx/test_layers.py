import pytest
import torch
import torch.nn.functional as F
from torch import nn

from geosrseg.networks.onnx.layers import deconv_as_conv, emit
from geosrseg.networks.onnx.writer import GraphWriter


@pytest.mark.parametrize(("kernel", "stride", "padding"), [(6, 2, 2), (8, 4, 2), (16, 8, 2)])
def test_a_deconvolution_is_a_convolution_and_depth_to_space(kernel, stride, padding):
    weight = torch.randn(3, 5, kernel, kernel, dtype=torch.float64)
    x = torch.randn(2, 3, 6, 9, dtype=torch.float64)
    phases = F.conv2d(x, deconv_as_conv(weight, stride=stride), padding=kernel // stride - 1)
    inside = slice(padding, -padding)
    rewritten = F.pixel_shuffle(phases, stride)[..., inside, inside]
    expected = F.conv_transpose2d(x, weight, stride=stride, padding=padding)
    height, width = expected.shape[-2:]
    assert torch.allclose(rewritten[..., :height, :width], expected, rtol=0, atol=1e-12)


def test_a_module_without_an_onnx_form_is_refused():
    with pytest.raises(TypeError, match="no ONNX form for GELU"):
        emit(nn.GELU(), GraphWriter(), "x")

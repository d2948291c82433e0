import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from geosrseg.networks.onnx.graph import build_onnx
from geosrseg.runtime.devices.flavours import flavoured, join_deconvolutions, project_convolutions
from tests.tiny_networks import spec_of, tiny_config, tiny_network

RNG = np.random.default_rng(0)
MARGIN = {"first": [2, 2], "last": [-2, -2], "axes": [2, 3]}


def run(content, lr, outputs=None):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    return session.run(outputs, {"lr": lr})


def operators(content):
    return [node.op_type for node in onnx.load_from_string(content).graph.node]


def graph_of(nodes, constants):
    """Make a model file of these nodes, from ``lr`` of 5 bands to ``y``."""
    ports = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", channels, None, None])
        for name, channels in (("lr", 5), ("y", None))
    ]
    arrays = [numpy_helper.from_array(np.asarray(a), name) for name, a in constants.items()]
    graph = helper.make_graph(nodes, "g", ports[:1], ports[1:], arrays)
    opset = [helper.make_opsetid("", 18)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()


def deconvolution(*, activation=None, stride=4, taps=2, bias="alike", mode="CRD", **changes):
    """A deconvolution of 5 to 3 channels, written as convolution, depth-to-space and crop."""
    settings = {"pads": [taps - 1] * 4, "kernel_shape": [taps] * 2}
    settings |= {key: changes.pop(key) for key in ("strides", "dilations") if key in changes}
    per_phase = RNG.normal(size=3).astype(np.float32).repeat(stride**2)
    if bias == "differs":
        per_phase[1] += 1
    constants = {
        "w": RNG.normal(size=(3 * stride**2, 5, taps, taps)).astype(np.float32),
        **({} if bias is None else {"b": per_phase}),
        **{key: np.array(values) for key, values in (MARGIN | changes).items()},
    }
    names = ["lr", "w"] if bias is None else ["lr", "w", "b"]
    nodes = [helper.make_node("Conv", names, ["phases"], **settings)]
    if activation:
        alpha = {"alpha": -0.3} if activation == "LeakyRelu" else {}
        nodes.append(helper.make_node(activation, ["phases"], ["active"], **alpha))
    grown = nodes[-1].output[0]
    nodes += [
        helper.make_node("DepthToSpace", [grown], ["grown"], blocksize=stride, mode=mode),
        helper.make_node("Slice", ["grown", *constants.keys() - {"w", "b"}], ["y"]),
    ]
    nodes[-1].input[:] = ["grown", "first", "last", "axes"]
    return graph_of(nodes, constants)


class TestJoinDeconvolutions:
    @pytest.mark.parametrize("activation", [None, "Relu", "LeakyRelu"])
    @pytest.mark.parametrize("bias", [None, "alike"])
    def test_the_deconvolution_computes_the_same(self, activation, bias):
        content = deconvolution(activation=activation, bias=bias)
        joined = flavoured(content, [join_deconvolutions])
        assert operators(joined) == ["ConvTranspose", *([activation] if activation else [])]
        lr = RNG.normal(size=(2, 5, 6, 9)).astype(np.float32)
        assert np.allclose(run(joined, lr), run(content, lr), atol=1e-5)

    @pytest.mark.parametrize(
        ("stride", "taps", "margin"), [(2, 3, 2), (2, 2, 1), (8, 2, 4), (3, 1, 1)]
    )
    def test_whatever_the_sizes(self, stride, taps, margin):
        content = deconvolution(stride=stride, taps=taps, first=[margin] * 2, last=[-margin] * 2)
        joined = flavoured(content, [join_deconvolutions])
        assert operators(joined) == ["ConvTranspose"]
        lr = RNG.normal(size=(1, 5, 7, 4)).astype(np.float32)
        assert np.allclose(run(joined, lr), run(content, lr), atol=1e-5)

    @pytest.mark.parametrize(
        "unlike",
        [
            {"bias": "differs"},
            {"mode": "DCR"},
            {"first": [2, 1]},
            {"last": [-2, -3]},
            {"axes": [3, 2], "first": [2, 1]},
            {"last": [6, 6]},
            {"strides": [2, 2]},
            {"dilations": [2, 2]},
        ],
    )
    def test_what_is_no_deconvolution_is_left_as_it_is(self, unlike):
        content = deconvolution(**unlike)
        assert flavoured(content, [join_deconvolutions]) == content

    def test_nor_one_that_somebody_else_reads(self):
        model = onnx.load_from_string(deconvolution())
        model.graph.output.append(helper.make_empty_tensor_value_info("grown"))
        content = model.SerializeToString()
        assert flavoured(content, [join_deconvolutions]) == content


def convolution(*, inputs, outputs, bias=True, **settings):
    """A 3x3 convolution of `lr`, with `inputs` copies of each band."""
    constants = {"w": RNG.normal(size=(outputs, 5 * inputs, 3, 3)).astype(np.float32)}
    if bias:
        constants["b"] = RNG.normal(size=outputs).astype(np.float32)
    settings = {"pads": [1] * 4, "kernel_shape": [3, 3]} | settings
    nodes = [
        helper.make_node("Concat", ["lr"] * inputs, ["wide"], axis=1),
        helper.make_node("Conv", ["wide", *constants], ["y"], **settings),
    ]
    return graph_of(nodes, constants)


class TestProjectConvolutions:
    @pytest.mark.parametrize("bias", [True, False])
    @pytest.mark.parametrize("outputs", [1, 2])
    def test_the_projection_computes_the_same(self, outputs, bias):
        content = convolution(inputs=30, outputs=outputs, bias=bias)
        projected = flavoured(content, [project_convolutions])
        assert operators(projected) == ["Concat", "Conv", "Conv"]
        lr = RNG.normal(size=(2, 5, 6, 9)).astype(np.float32)
        assert np.allclose(run(projected, lr), run(content, lr), atol=1e-4)

    @pytest.mark.parametrize(
        "unlike",
        [
            {"inputs": 10},
            {"pads": [0] * 4},
            {"strides": [2, 2]},
            {"dilations": [2, 2]},
        ],
    )
    def test_others_are_left_as_they_are(self, unlike):
        content = convolution(**{"inputs": 30, "outputs": 1, **unlike})
        assert flavoured(content, [project_convolutions]) == content


@pytest.mark.parametrize(("factor", "residual"), [(2, False), (4, True), (8, False)])
def test_a_network_keeps_its_image_and_its_labels(factor, residual):
    """The last SR convolution is wide enough to be projected; maxima in the input tie."""
    config = tiny_config(bands=1, upscale_factor=factor, residual=residual, sr_options={"base": 24})
    content = build_onnx(tiny_network(config), spec_of(config)).SerializeToString()
    changed = flavoured(content, [join_deconvolutions, project_convolutions])
    assert operators(changed).count("ConvTranspose") == 8
    assert "/sums" in str(onnx.load_from_string(changed).graph.node)
    lr = RNG.integers(0, 3, (1, 1, 64 // factor, 96 // factor)).astype(np.float32)
    ours, theirs = (run(c, lr, ["probabilities", "sr"]) for c in (changed, content))
    assert np.allclose(ours[1], theirs[1], rtol=1e-5, atol=1e-5)
    # A difference in the last bit can move a maximum to its neighbour, seen by few pixels.
    assert np.isclose(ours[0], theirs[0], atol=1e-5).mean() > 0.95
    assert (ours[0].argmax(1) == theirs[0].argmax(1)).mean() > 0.999


def test_constants_that_nothing_reads_any_more_are_dropped():
    joined = onnx.load_from_string(flavoured(deconvolution(), [join_deconvolutions]))
    assert len(joined.graph.initializer) == 2


def test_the_metadata_stays(tiny_model):
    model = onnx.load(tiny_model())
    helper.set_model_props(model, {"key": "value"})
    content = flavoured(model.SerializeToString(), [lambda _view: 1])
    assert onnx.load_from_string(content).metadata_props[0].value == "value"

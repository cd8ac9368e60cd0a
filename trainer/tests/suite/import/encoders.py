"""Writes the encoders of `encoders/` and what onnxruntime computes with them: `python3 encoders.py` beside this folder.

Each encoder has the form in which PyTorch's exporter writes such a model; PyTorch itself is not needed. The digits are those of the program; `windows()` draws
windows by the rule of `../encoders.rs`. Latents are those of the first 400 samples.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.neural_network import MLPRegressor

FOLDER = pathlib.Path(__file__).parent / "encoders"


def windows(n=600):
    """Windows of 32 instants and three channels, `n x 3 x 32`, in four groups of different frequency."""
    state, all_windows = 1, []

    def draw(below):
        nonlocal state
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        return (state >> 8) % below

    for _ in range(n):
        period, phase = 6 + 4 * draw(4), draw(64)
        window = []
        for t in range(32):
            wave = abs(2 * ((t + phase) % period) - period) * 60 // period
            values = [wave * 8, (wave - 30) ** 2 // 2, 380 - wave * 3]
            window.append([value + draw(21) + draw(21) - 20 for value in values])
        all_windows.append(np.transpose(window))
    return np.array(all_windows, np.float32)


class Graph:
    """A graph whose last node is the output."""

    def __init__(self, name, x, opset):
        self.name, self.x, self.opset = name, x, opset
        self.nodes, self.constants, self.last = [], [], "input"

    def constant(self, name, values, kind=np.float32):
        self.constants.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def add(self, op, *constants, layer=None, **attributes):
        name = f"/{layer or op.lower()}/{op}"
        self.nodes.append(helper.make_node(op, [self.last, *constants], [name + "_output_0"], name, **attributes))
        self.last = name + "_output_0"

    def model(self, latent=None):
        shape = ["batch", *self.x.shape[1:]]
        graph = helper.make_graph(
            self.nodes, "main_graph", [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
            [helper.make_tensor_value_info(self.last, TensorProto.FLOAT, latent)], self.constants)
        model = helper.make_model(graph, producer_name="encoders.py", opset_imports=[helper.make_opsetid("", self.opset)])
        model.ir_version = 8
        return model

    def run(self, x=None):
        session = onnxruntime.InferenceSession(self.model().SerializeToString(), providers=["CPUExecutionProvider"])
        return session.run(None, {"input": self.x if x is None else x})[0]

    def linear(self, layer, weights, bias):
        self.add("Gemm", self.constant(f"{layer}.weight", weights), self.constant(f"{layer}.bias", bias), layer=layer, transB=1)

    def normalise(self, layer):
        """Batch normalisation as after training on these samples, with a scale and a shift of its own."""
        out = np.moveaxis(self.run(), 1, -1).reshape(-1, self.run().shape[1])
        rng = np.random.default_rng(7)
        values = {"weight": rng.uniform(0.5, 1.5, out.shape[1]), "bias": rng.normal(0, 0.3, out.shape[1]),
                  "running_mean": out.mean(0), "running_var": out.var(0)}
        self.add("BatchNormalization", *[self.constant(f"{layer}.{name}", v) for name, v in values.items()], layer=layer,
                 epsilon=1e-5, momentum=0.9)

    def project(self, layer, dims):
        """A last layer that gives the principal axes of what comes before it, in units of the first one."""
        pca = PCA(dims, random_state=0).fit(self.run())
        weights = pca.components_ / np.sqrt(pca.explained_variance_[0])
        self.linear(layer, weights, -weights @ pca.mean_)

    def save(self):
        FOLDER.mkdir(exist_ok=True)
        latents = self.run(self.x[:400])
        model = self.model(["batch", latents.shape[1]])
        onnx.checker.check_model(model)
        onnx.save(model, FOLDER / f"{self.name}.onnx")
        np.save(FOLDER / f"{self.name}.npy", latents)


def convolution(graph, layer, shape, rng, **attributes):
    """Weights of the size that keeps the variance (He and others, 2015)."""
    weights = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape)
    names = [graph.constant(f"{layer}.weight", weights), graph.constant(f"{layer}.bias", rng.normal(0, 0.1, shape[0]))]
    graph.add("Conv", *names, layer=layer, kernel_shape=shape[2:], **attributes)


def mlp(x):
    """The encoder of an autoencoder of scikit-learn."""
    graph = Graph("mlp", x, 17)
    model = MLPRegressor(hidden_layer_sizes=(32, 8, 32), random_state=0, max_iter=60).fit(x / 16, x / 16)
    (first, second), (bias, latent) = model.coefs_[:2], model.intercepts_[:2]
    graph.add("Div", graph.constant("sixteen", 16.0), layer="scale")
    graph.add("MatMul", graph.constant("onnx::MatMul_12", first), layer="encoder.0")
    graph.add("Add", graph.constant("encoder.0.bias", bias), layer="encoder.0")
    graph.add("Relu", layer="encoder.1")
    graph.add("Dropout", layer="encoder.2")
    graph.linear("encoder.3", second.T, latent)
    graph.save()


def conv2d(x):
    rng = np.random.default_rng(0)
    graph = Graph("conv2d", x.reshape(-1, 1, 8, 8), 18)
    convolution(graph, "conv1", (8, 1, 3, 3), rng, pads=[1, 1, 1, 1], strides=[1, 1])
    graph.normalise("bn1")
    graph.add("Relu", layer="act1")
    graph.add("MaxPool", layer="pool1", kernel_shape=[2, 2], strides=[2, 2])
    convolution(graph, "conv2", (12, 8, 3, 3), rng, pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1)
    graph.normalise("bn2")
    graph.add("LeakyRelu", layer="act2", alpha=0.1)
    graph.add("AveragePool", layer="pool2", kernel_shape=[2, 2], strides=[2, 2], pads=[0, 0, 0, 0])
    graph.add("Flatten", axis=1)
    graph.project("fc", 8)
    graph.save()


def conv1d(x):
    rng = np.random.default_rng(0)
    graph = Graph("conv1d", x, 13)
    graph.normalise("bn0")
    convolution(graph, "conv1", (8, 3, 5), rng, pads=[2, 2])
    graph.normalise("bn1")
    graph.add("Relu", layer="act1")
    graph.add("MaxPool", layer="pool1", kernel_shape=[2], strides=[2])
    convolution(graph, "conv2", (12, 8, 3), rng, pads=[1, 1], strides=[2])
    graph.normalise("bn2")
    graph.add("Tanh", layer="act2")
    graph.add("GlobalAveragePool", layer="pool2")
    graph.add("Reshape", graph.constant("shape", [-1, 12], np.int64), layer="view")
    graph.project("fc", 6)
    graph.save()


if __name__ == "__main__":
    digits = load_digits().data.astype(np.float32)
    mlp(digits)
    conv2d(digits)
    conv1d(windows())
    print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)

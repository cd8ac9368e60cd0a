"""Trains the encoders of `pytorch/` and exports them with both of PyTorch's exporters: `python3 pytorch.py` beside this folder.

`NAME-script.onnx` is written with `dynamo=False`; `NAME-dynamo.onnx` with the exporter that is the default since PyTorch 2.9, whose
weights are in `NAME-dynamo.onnx.data`. `NAME.npy` has the latents of the first 400 samples by onnxruntime. The packages are
torch, onnxscript, onnxruntime and scikit-learn.
"""

import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from encoders import windows
from sklearn.datasets import load_digits
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "pytorch"


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(64, 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.1), nn.Linear(32, 8))

    def forward(self, x):
        return self.layers(x / 16)


class Conv2d(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 12, 3, padding=1), nn.BatchNorm2d(12), nn.LeakyReLU(0.1), nn.AvgPool2d(2))
        self.latent = nn.Linear(48, 8)

    def forward(self, x):
        return self.latent(torch.flatten(self.layers(x / 16), 1))


class Conv1d(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.BatchNorm1d(3), nn.Conv1d(3, 8, 5, padding=2), nn.BatchNorm1d(8), nn.ReLU(), nn.MaxPool1d(2),
            nn.Conv1d(8, 12, 3, stride=2, padding=1), nn.BatchNorm1d(12), nn.Tanh(), nn.AdaptiveAvgPool1d(1))
        self.latent = nn.Linear(12, 6)

    def forward(self, x):
        return self.latent(self.layers(x).squeeze(-1))


def trained(encoder, x, epochs=40):
    """The encoder of an autoencoder, with its normalisations as after training."""
    dims = encoder.eval()(x[:2]).shape[1]
    decoder = nn.Sequential(nn.Linear(dims, 64), nn.ReLU(), nn.Linear(64, x[0].numel()))
    optimizer = torch.optim.Adam([*encoder.parameters(), *decoder.parameters()], 2e-3)
    target = ((x - x.mean()) / x.std()).flatten(1)
    encoder.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(64):
            loss = (decoder(encoder(x[rows])) - target[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return encoder.eval()


def export(name, encoder, x):
    script, dynamo = FOLDER / f"{name}-script.onnx", FOLDER / f"{name}-dynamo.onnx"
    names = {"input_names": ["input"], "output_names": ["latent"]}
    torch.onnx.export(encoder, x[:1], script, dynamo=False, dynamic_axes={"input": {0: "batch"}}, **names)
    torch.onnx.export(encoder, (x[:2],), dynamo, dynamic_shapes=({0: torch.export.Dim("batch")},), **names)
    # The exporter notes the lines of code of each node, with the paths of this machine.
    model = onnx.load(dynamo, load_external_data=False)
    for part in (model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
    dynamo.write_bytes(model.SerializeToString())
    both = []
    for path in (script, dynamo):
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        both.append(session.run(None, {"input": x[:400].numpy()})[0])
    assert np.abs(both[0] - both[1]).max() < 1e-5
    np.save(FOLDER / f"{name}.npy", both[1])


if __name__ == "__main__":
    torch.manual_seed(0)
    FOLDER.mkdir(exist_ok=True)
    digits = torch.tensor(load_digits().data, dtype=torch.float32)
    export("mlp", trained(Mlp(), digits), digits)
    images = digits.reshape(-1, 1, 8, 8)
    export("conv2d", trained(Conv2d(), images), images)
    recordings = torch.tensor(windows())
    export("conv1d", trained(Conv1d(), recordings), recordings)
    print("torch", torch.__version__, "onnxruntime", onnxruntime.__version__)

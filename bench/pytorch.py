"""How fast edgemix trains an autoencoder, compared with PyTorch on the same machine in the same run.

    python bench/pytorch.py target/release/edgemix mnist70k.npz [--device cuda] [--rounds 3]

needs numpy and torch. Both train 784-500-500-2000-10 and its mirror with ReLU, batches of 256 and Adam on the same
images, none of them moved. An epoch's time is the difference of runs of one and of three epochs, halved, so that reading,
clustering and export don't count; the two take turns, and the medians are compared. PyTorch is given what helps it most on
a CPU without a compiler: data in memory as f32, batches by index, no loader.
"""
import argparse
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from torch import nn

WIDTHS = [500, 500, 2000, 10]


def mlp(dims):
    layers = []
    for a, b in zip(dims, dims[1:]):
        linear = nn.Linear(a, b)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def pytorch_epoch(x):
    dims = [x.shape[1], *WIDTHS]
    net = nn.Sequential(mlp(dims), mlp(dims[::-1])).to(x.device)
    adam = torch.optim.Adam(net.parameters(), 1e-3)

    def epoch():
        for rows in torch.randperm(len(x), device=x.device).split(256):
            batch = x[rows]
            loss = 0.5 * (net(batch) - batch).square().sum(1).mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
        if x.is_cuda:
            torch.cuda.synchronize()

    epoch()
    begin = time.perf_counter()
    epoch()
    return time.perf_counter() - begin


def edgemix_epoch(program, data, device):
    def run(epochs):
        with tempfile.TemporaryDirectory() as folder:
            begin = time.perf_counter()
            subprocess.run(
                [program, "train", data, "--method", "ae-kmeans", "--encoder", "-".join(map(str, WIDTHS)),
                 "--pretrain-epochs", str(epochs), "--set", "augmentation.shift=0", "--set", "augmentation.rotation=0",
                 "--set", "method.kmeans.n-init=1", "--device", device, "--out", folder],
                check=True, capture_output=True)
            return time.perf_counter() - begin

    return (run(3) - run(1)) / 2


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program")
    options.add_argument("data", help="an NPZ file with images")
    options.add_argument("--device", default="cpu")
    options.add_argument("--rounds", type=int, default=3)
    asked = options.parse_args()
    with np.load(asked.data) as arrays:
        images = arrays["images"]
    x = torch.tensor(images.reshape(len(images), -1) / np.float32(255), dtype=torch.float32, device=asked.device)
    times = {"PyTorch": [], "edgemix": []}
    for _ in range(asked.rounds):
        times["PyTorch"].append(pytorch_epoch(x))
        times["edgemix"].append(edgemix_epoch(asked.program, asked.data, asked.device))
    medians = {name: statistics.median(values) for name, values in times.items()}
    for name, values in times.items():
        each = " ".join(f"{value:.2f}" for value in values)
        print(f"{name:<8} {medians[name]:.2f} s an epoch of {len(x)} ({each})")
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads, {asked.device}")
    print(f"edgemix trains at {medians['PyTorch'] / medians['edgemix']:.2f} of PyTorch's speed")


if __name__ == "__main__":
    main()

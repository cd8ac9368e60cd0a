"""Compare the training speed of edgemix with that of PyTorch, on the same machine in the same run.

    python bench/pytorch.py target/release/edgemix mnist70k.npz [--methods autoencoder,alpha-jsd,depict]
        [--device cuda] [--batch 256] [--epochs 2] [--rounds 3]

The script needs numpy, torch, and an NPZ file whose array `images` has one channel. Both programs train the same layers
with the same batch size and Adam, without augmentation:

  autoencoder  784-500-500-2000-10 and its mirror image, batches of 256: the reconstruction phase of most methods
  alpha-jsd    the same network with the clustering loss; every epoch encodes all samples and refits the mixture
  depict       DEPICT's convolutional autoencoder and softmax layer, batches of 100; every epoch recomputes the targets

An epoch is timed from the end of the previous one to its own end, when edgemix writes a line of metrics. Start-up,
reading and export of either program are therefore not timed. The first epoch does not count; the time of a round is the
median of the `--epochs` epochs after it. The two programs take turns, and the medians over the rounds are compared.

PyTorch runs in its fastest set-up without a compiler: data in memory as f32, batches by index, no loader. On a GPU, where
epochs are short, ask for more of them.
"""
import argparse
import os
import statistics
import subprocess
import tempfile
import time

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

WIDTHS = [500, 500, 2000, 10]
CLUSTERS = 10
COMPONENTS = 20
ALPHA = 0.65
HALF_STEP = 1e-3  # the mixture has converged when the counts change by less than this share


def mlp(dims):
    layers = []
    for a, b in zip(dims, dims[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class Autoencoder:
    """Reconstruction of the samples; with `pulls`, also alpha-JSD to the nearest component of a mixture."""

    def __init__(self, x, batch, pulls=False):
        dims = [x.shape[1], *WIDTHS]
        self.x, self.pulls, self.batch = x, pulls, batch
        self.encoder, self.decoder = mlp(dims).to(x.device), mlp(dims[::-1]).to(x.device)
        self.parameters = [*self.encoder.parameters(), *self.decoder.parameters()]
        self.means = None

    @torch.no_grad()
    def begin_epoch(self):
        if not self.pulls:
            return
        z = torch.cat([self.encoder(rows) for rows in self.x.split(8192)])
        self.mean, self.deviation = z.mean(0), z.std(0, unbiased=False).clamp_min(1e-6)
        z = (z - self.mean) / self.deviation
        if self.means is None:
            self.means = z[torch.randperm(len(z), device=z.device)[:COMPONENTS]]
            self.variances, self.log_weights = torch.ones_like(self.means), z.new_zeros(COMPONENTS)
        counts = None
        for _ in range(100):
            precisions = self.variances.reciprocal()
            distances = (z.square() @ precisions.T - 2 * z @ (precisions * self.means).T
                         + (precisions * self.means.square()).sum(1))
            scores = self.log_weights - 0.5 * self.variances.log().sum(1) - 0.5 * distances
            self.best = scores.argmax(1)
            hard = F.one_hot(self.best, COMPONENTS).float()
            before, counts = counts, hard.sum(0)
            weights = counts.clamp_min(1)[:, None]
            self.means = hard.T @ z / weights
            self.variances = (hard.T @ z.square() / weights - self.means.square()).clamp_min(0) + 0.05
            self.log_weights = (counts.clamp_min(1) / len(z)).log()
            if before is not None and (counts - before).abs().sum().item() < HALF_STEP * len(z):
                break

    def loss(self, rows):
        batch = self.x[rows]
        latent = self.encoder(batch)
        loss = 0.5 * (self.decoder(latent) - batch).square().sum(1).mean()
        if not self.pulls:
            return loss
        # The primal geometric Jensen-Shannon divergence from N(z, 1) to the component.
        z = (latent - self.mean) / self.deviation
        mean, variance = self.means[self.best[rows]], self.variances[self.best[rows]]
        precision = variance.reciprocal()
        mixed = (1 - ALPHA) + ALPHA * precision
        weight = (ALPHA * precision.square() + (1 - ALPHA)) / mixed * (ALPHA * (1 - ALPHA))
        trace = mixed * ((1 - ALPHA) + ALPHA * variance)
        pull = 0.5 * (trace - mixed.log() - ALPHA * variance.log() - 1 + weight * (z - mean).square())
        return loss + pull.sum(1).mean()


class Depict:
    """DEPICT's losses: targets of the clean path for predictions of the corrupted one, and each layer's reconstruction."""

    def __init__(self, x, batch):
        side = round(x.shape[1] ** 0.5)
        self.x, self.batch = x.reshape(-1, 1, side, side), batch
        first = (side - 4) // 2 + 1
        second = (first + 4 - 5) // 2 + 1
        back = [first - ((second - 1) * 2 - 4 + 5), side - ((first - 1) * 2 + 4)]
        self.down = nn.ModuleList([
            nn.Conv2d(1, 50, 4, 2), nn.Conv2d(50, 50, 5, 2, 2),
            nn.Sequential(nn.Flatten(), nn.Linear(50 * second ** 2, 10))]).to(x.device)
        self.up = nn.ModuleList([
            nn.Sequential(nn.Linear(10, 50 * second ** 2), nn.Unflatten(1, (50, second, second))),
            nn.ConvTranspose2d(50, 50, 5, 2, 2, back[0]), nn.ConvTranspose2d(50, 1, 4, 2, 0, back[1])]).to(x.device)
        self.head = nn.Linear(10, CLUSTERS).to(x.device)
        self.parameters = [p for part in (self.down, self.up, self.head) for p in part.parameters()]

    def encode(self, x, dropout):
        outputs = [x]
        for index, layer in enumerate(self.down):
            x = layer(F.dropout(x, dropout) if dropout else x)
            x = F.leaky_relu(x, 0.01) if index < 2 else x.tanh()
            outputs.append(x)
        return outputs

    @torch.no_grad()
    def begin_epoch(self):
        p = torch.cat([self.head(self.encode(rows, 0)[-1]).softmax(1) for rows in self.x.split(8192)])
        q = p / p.sum(0).sqrt()
        self.targets = q / q.sum(1, keepdim=True)

    def loss(self, rows):
        batch = self.x[rows]
        with torch.no_grad():
            clean = self.encode(batch, 0)[:-1]
        z = self.encode(batch, 0.1)[-1]
        loss, y = F.cross_entropy(self.head(z), self.targets[rows]), z
        for index, (layer, target) in enumerate(zip(self.up, clean[::-1])):
            y = layer(y)
            y = F.leaky_relu(y, 0.01) if index < 2 else y
            loss = loss + (0.1 if index < 2 else 1.0) * F.mse_loss(y, target)
        return loss


def pytorch_epoch(model, epochs):
    adam = torch.optim.Adam(model.parameters, 1e-3)
    ends = []
    for _ in range(epochs + 1):
        model.begin_epoch()
        for rows in torch.randperm(len(model.x), device=model.x.device).split(model.batch):
            loss = model.loss(rows)
            adam.zero_grad()
            loss.backward()
            adam.step()
        if model.x.is_cuda:
            torch.cuda.synchronize()
        ends.append(time.perf_counter())
    return median_step(ends)


def edgemix_epoch(program, data, device, flags, stage, epochs):
    ends = []
    with tempfile.TemporaryDirectory() as folder:
        metrics = os.path.join(folder, "metrics.jsonl")
        command = [program, "train", data, "--device", device, "--out", folder, *flags]
        # Train on all samples and without augmentation, as PyTorch does here.
        for setting in ["holdout=0", "augmentation.shift=0", "augmentation.rotation=0", "checkpoint-every=1000"]:
            command += ["--set", setting]
        run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while len(ends) <= epochs and run.poll() is None:
            time.sleep(0.002)
            if os.path.exists(metrics):
                with open(metrics) as lines:
                    found = sum(line.endswith("\n") and f'"phase":"{stage}"' in line for line in lines)
                ends += [time.perf_counter()] * (found - len(ends))
        run.kill()
        _, error = run.communicate()
        if len(ends) <= epochs:
            raise SystemExit(f"edgemix ended before its {epochs + 1} epochs:\n{error}")
    return median_step(ends)


def median_step(ends):
    return statistics.median(b - a for a, b in zip(ends, ends[1:]))


def methods(epochs, batch):
    """PyTorch's counterpart, edgemix's flags and the timed stage of each method."""
    # A few epochs more than are timed, so that the program still trains when it is stopped.
    layers, count = "-".join(map(str, WIDTHS)), str(epochs + 2)
    once = ["--pretrain-epochs", "1", "--cluster-epochs", count]
    size = lambda usual: ["--set", f"batch-size={batch or usual}"]
    return {
        "autoencoder": (lambda x: Autoencoder(x, batch or 256),
                        ["--method", "ae-kmeans", "--encoder", layers, "--pretrain-epochs", count, *size(256)], "reconstruct"),
        "alpha-jsd": (lambda x: Autoencoder(x, batch or 256, pulls=True),
                      ["--method", "alpha-jsd", "--encoder", layers, *once, *size(256)], "cluster"),
        "depict": (lambda x: Depict(x, batch or 100),
                   ["--method", "depict", "--encoder", "depict", *once, *size(100)], "cluster"),
    }


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("program", help="the edgemix program")
    options.add_argument("data", help="an NPZ file with an array `images`")
    options.add_argument("--methods", default="autoencoder", help="autoencoder, alpha-jsd, depict, or several separated by commas (default: autoencoder)")
    options.add_argument("--device", default="cpu", help="device of both programs: cpu (default) or cuda, which needs edgemix built with --features cuda")
    options.add_argument("--batch", type=int, help="samples a step (default: 256; depict 100)")
    options.add_argument("--epochs", type=int, default=2, help="timed epochs per round (default: 2)")
    options.add_argument("--rounds", type=int, default=3, help="rounds of both programs (default: 3)")
    asked = options.parse_args()
    known = methods(asked.epochs, asked.batch)
    names = asked.methods.split(",")
    if unknown := [name for name in names if name not in known]:
        options.error(f"no method is named {unknown[0]}; the methods are {', '.join(known)}")
    if asked.device.startswith("cuda") and not torch.cuda.is_available():
        options.error("PyTorch finds no GPU: omit --device to use the CPU")
    with np.load(asked.data) as arrays:
        if "images" not in arrays:
            options.error(f"{asked.data} has no array named images; its arrays are {', '.join(arrays)}")
        images = arrays["images"]
    x = torch.tensor(images.reshape(len(images), -1) / np.float32(images.max()), dtype=torch.float32, device=asked.device)
    where = torch.cuda.get_device_name() if x.is_cuda else f"{torch.get_num_threads()} threads, {os.cpu_count()} cores"
    print(f"PyTorch {torch.__version__}, {where}; {len(x)} images of {x.shape[1]} pixels")
    for name in names:
        counterpart, flags, stage = known[name]
        times = {"PyTorch": [], "edgemix": []}
        for _ in range(asked.rounds):
            times["PyTorch"].append(pytorch_epoch(counterpart(x), asked.epochs))
            times["edgemix"].append(edgemix_epoch(asked.program, asked.data, asked.device, flags, stage, asked.epochs))
        medians = {program: statistics.median(values) for program, values in times.items()}
        for program, values in times.items():
            each = " ".join(f"{value:.2f}" for value in values)
            print(f"{name:<12} {program:<8} {medians[program]:.2f} s an epoch ({each})")
        print(f"{name:<12} edgemix trains at {medians['PyTorch'] / medians['edgemix']:.2f} of PyTorch's speed", flush=True)


if __name__ == "__main__":
    main()

"""Handwritten digits: clusters without labels, what is novel, and a model file for a chip.

Run it as a script, or cell by cell in an editor that knows `# %%`. It needs scikit-learn for the digits and a score.
"""

# %% 1,797 images of 8 x 8 pixels. Nobody says how many kinds of digits there are.
import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import adjusted_rand_score

from edgemix import Edgemix

digits = load_digits()
images = digits.images
print(f"{len(images)} images of {images.shape[1]} x {images.shape[2]} pixels")


# %% An encoder and its clusters. The callback shows how far it is.
def show(progress):
    if progress.epoch == progress.epochs and progress.epochs:
        losses = ", ".join(f"{name} {loss:.4f}" for name, loss in progress.losses.items())
        print(f"  {progress.phase}: {progress.epochs} epochs, {losses}")


model = Edgemix(name="digits").fit(images, callback=show)
print(f"{model.n_clusters_} clusters")

# %% Do they match the labels, which the training never saw?
print(f"adjusted Rand index with the labels: {adjusted_rand_score(digits.target, model.labels_):.3f}")
for cluster in range(model.n_clusters_):
    kinds = np.bincount(digits.target[model.labels_ == cluster], minlength=10)
    share = kinds.max() / kinds.sum()
    print(f"  cluster {cluster:2}: {kinds.sum():4} images, {share:4.0%} of them the digit {kinds.argmax()}")

# %% What is like nothing in the training? Images upside down are, more often than others.
for name, some in [
    ("as they are", images),
    ("upside down", images[:, ::-1]),
    ("noise", np.random.default_rng(0).integers(0, 17, images.shape)),
]:
    print(f"novel at a rate of 1 %, {name}: {np.mean(model.novelty(some) <= 0.01):.1%}")

# %% How sure is it?
posteriors = model.predict_proba(images)
print(f"posterior of the cluster, median: {np.median(posteriors.max(axis=1)):.3f}")

# %% The file that a firmware embeds. It has the bytes of `edgemix train digits`.
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "digits.emx"
    model.export(path)
    file = model.model_
    print(f"{file.flash} bytes of flash, {file.ram} bytes of RAM, {file.macs} multiply-accumulates")
    again = Edgemix.load(path)
assert np.array_equal(again.predict(images), model.labels_)

"""Compares a model that `edgemix export --onnx` wrote with what `edgemix assign` found:

    python3 exported.py model.onnx samples.npy clusters.csv

It prints the share of the samples that onnxruntime puts into the cluster of the integers.
"""

import csv
import sys

import numpy as np
import onnx
import onnxruntime

model, samples, clusters = sys.argv[1:]
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
x = np.load(samples).astype(np.float32)
latent, scores, found = session.run(["latent", "scores", "cluster"], {session.get_inputs()[0].name: x.reshape(len(x), -1)})
expected = np.array([int(row["cluster"]) for row in csv.DictReader(open(clusters))])
assert np.isfinite(latent).all() and np.isfinite(scores).all()
print(f"{100 * np.mean(found == expected):.2f} % of {len(x)} samples in the same cluster")

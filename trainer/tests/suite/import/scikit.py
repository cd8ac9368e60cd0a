"""Writes the models and figures of `scikit/`, which `../import.rs` compares with: `python3 scikit.py [NAME...]` beside this folder.

Each NPZ file has the arrays of a pipeline, as `docs/import.md` writes them, and the clusters that scikit-learn predicts for the
10,000 samples of `samples()`, which the test draws by the same rule. Each ONNX file is the same pipeline by skl2onnx.
"""

import json
import pathlib
import sys
import warnings

import numpy as np
import skl2onnx
import sklearn
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.mixture import BayesianGaussianMixture, GaussianMixture
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

FOLDER = pathlib.Path(__file__).parent / "scikit"
UNITS = [(1, 0), (3, 40), (1, 0), (9, -200), (2, 0), (1, 1000)]


def samples(n=10_000):
    """Counts of six features in five overlapping groups, in units and about centres of their own."""
    state, rows = 1, []

    def draw(below):
        nonlocal state
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        return (state >> 8) % below

    for _ in range(n):
        group, row, before = draw(5), [], 0
        for feature, (unit, offset) in enumerate(UNITS):
            noise = sum(draw(60) for _ in range(4)) - 118
            centre = (group * (feature + 3) % 5 - 2) * 55
            before = noise * (2 + group) // 3 + before // 2
            row.append(unit * (centre + before) + offset)
        rows.append(row)
    return np.array(rows, np.int16)


def save(path, model, **more):
    steps = [step for _, step in model.steps] if hasattr(model, "steps") else [model]
    arrays = {f"{i}.{name}": np.asarray(value) for i, step in enumerate(steps)
              for name, value in vars(step).items() if name.endswith("_")}
    arrays = {name: array for name, array in arrays.items() if array.dtype.kind == "f"}
    about = [{"class": type(step).__name__, **{name: value for name, value in step.get_params().items()
              if isinstance(value, (bool, str))}} for step in steps]
    np.savez_compressed(path, steps=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays, **more)


def bayesian(n_components=12, max_iter=100, **settings):
    return BayesianGaussianMixture(n_components=n_components, random_state=0, max_iter=max_iter, **settings)


MODELS = {
    "kmeans": KMeans(7, random_state=0, n_init=3),
    "kmeans-pca": make_pipeline(StandardScaler(), PCA(4), KMeans(7, random_state=0, n_init=3)),
    "full-raw": GaussianMixture(n_components=5, random_state=0),
    **{kind: make_pipeline(StandardScaler(), PCA(4), GaussianMixture(n_components=6, covariance_type=kind, random_state=0))
       for kind in ["full", "tied", "diag", "spherical"]},
    "process": make_pipeline(StandardScaler(), bayesian(8, 400, weight_concentration_prior=1e-6)),
    "distribution": make_pipeline(PCA(4, whiten=True), bayesian(
        covariance_type="diag", weight_concentration_prior_type="dirichlet_distribution",
        weight_concentration_prior=0.001)),
    "process-tied": make_pipeline(MinMaxScaler(), bayesian(covariance_type="tied")),
    "process-spherical": make_pipeline(StandardScaler(with_mean=False), bayesian(covariance_type="spherical")),
}

if __name__ == "__main__":
    warnings.simplefilter("ignore")
    x = samples().astype(float)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or MODELS:
        model = MODELS[name]
        model.fit(x)
        save(FOLDER / f"{name}.npz", model, predicted=model.predict(x).astype(np.uint8))
        graph = skl2onnx.to_onnx(model, x[:1].astype(np.float32), target_opset=17)
        (FOLDER / f"{name}.onnx").write_bytes(graph.SerializeToString())
    print("scikit-learn", sklearn.__version__, "skl2onnx", skl2onnx.__version__)

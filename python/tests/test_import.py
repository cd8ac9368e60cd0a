"""Models of scikit-learn and ONNX files, against the packages themselves as they are today."""

import pathlib
import re

import numpy as np
import pytest
from sklearn.datasets import load_digits

from edgemix import Edgemix

ROOT = pathlib.Path(__file__).parents[2]


def assigned(program, folder):
    """The clusters of the digits in the integers of the run."""
    program("assign", "run", "digits", "-o", "clusters.csv", cwd=folder)
    return np.genfromtxt(folder / "clusters.csv", delimiter=",", names=True)["cluster"].astype(int)


def test_the_documentation_imports_a_pipeline_of_scikit_learn(program, tmp_path, monkeypatch):
    page = (ROOT / "docs" / "import.md").read_text()
    names = {}
    monkeypatch.chdir(tmp_path)
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL)[:2]:
        exec(block, names)
    commands = re.findall(r"^edgemix (.*)$", page, re.MULTILINE)
    assert commands[0] == "import digits.npz --data digits --out runs/imported"
    program(*commands[0].replace("runs/imported", "run").split(), cwd=tmp_path)
    expected = names["model"].predict(names["x"])
    clusters = assigned(program, tmp_path)
    assert np.mean(clusters == expected) >= 0.998
    assert np.array_equal(Edgemix.load(tmp_path / "run").predict(names["x"]), clusters)


def outputs(path, images):
    """What onnxruntime computes of images, by the names of the outputs."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    shape = [size if isinstance(size, int) else len(images) for size in given.shape]
    found = session.run(None, {given.name: images.astype(np.float32).reshape(shape)})
    return {output.name: values for output, values in zip(session.get_outputs(), found, strict=True)}


@pytest.mark.parametrize("encoder", ["mlp", "conv2d"])
def test_an_encoder_and_its_export_are_those_of_onnxruntime(program, tmp_path, encoder):
    path = ROOT / "trainer" / "tests" / "suite" / "import" / "encoders" / f"{encoder}.onnx"
    images = load_digits().images
    (latents,) = outputs(path, images).values()
    options = ["--data", "digits", "--method", "ae-gmm", "--clusters", 10, "--out", "run"]
    program("import", path, *options, cwd=tmp_path)
    program("export", "run", "--onnx", "back.onnx", cwd=tmp_path)
    back = outputs(tmp_path / "back.onnx", images)
    # The latents in which clusters are found are an affine map of the encoder's.
    affine = np.column_stack([latents.reshape(len(images), -1), np.ones(len(images))]).astype(np.float64)
    coefficients, _, _, _ = np.linalg.lstsq(affine, back["latent"].astype(np.float64))
    assert np.abs(affine @ coefficients - back["latent"]).max() < 1e-4
    assert np.mean(back["cluster"].ravel() == assigned(program, tmp_path)) >= 0.985


@pytest.mark.filterwarnings("ignore::edgemix.EdgemixWarning")
def test_a_trained_model_that_is_exported_has_its_clusters_in_onnxruntime(program, digits, tmp_path):
    np.save(tmp_path / "digits.npy", digits)
    parameters = {"method": "ae-gmm", "n_clusters": 10, "encoder": "conv:8k3p1,max2,10", "pretrain_epochs": 3}
    model = Edgemix(name="digits.npy", run_dir=tmp_path / "run", allow_disagreement=True, **parameters).fit(digits)
    program("export", "run", "--onnx", "model.onnx", cwd=tmp_path)
    found = outputs(tmp_path / "model.onnx", digits)
    assert np.mean(found["cluster"].ravel() == model.labels_) >= 0.98
    scale = np.abs(found["latent"]).max()
    assert np.abs(found["latent"] - model.transform(digits)).max() < 0.1 * scale

"""The same samples, settings and seed give the program's bytes and the program's answers."""

import numpy as np
import pytest
from conftest import SHORT

from edgemix import Edgemix

# Little training gives doubtful results, of which a fit warns.
pytestmark = pytest.mark.filterwarnings("ignore::edgemix.EdgemixWarning")

FLAGS = ["--encoder", "16-4", "--pretrain-epochs", 3, "--cluster-epochs", 2]


def trained(program, folder, data, *flags):
    """The model file of the program."""
    program("train", data, "--out", folder / "run", *flags, cwd=folder)
    return (folder / "run" / "model.emx").read_bytes()


def assigned(program, folder, data):
    """What the program says of each sample: cluster, novelty and posterior."""
    program("assign", "run", data, "-o", "clusters.csv", cwd=folder)
    table = np.genfromtxt(folder / "clusters.csv", delimiter=",", names=True)
    return table["cluster"].astype(int), table["novelty"], table["posterior"]


def test_digits_give_the_same_model_file(program, digits, tmp_path):
    expected = trained(program, tmp_path, "digits")
    model = Edgemix(name="digits").fit(digits)
    assert model.model_.to_bytes() == expected
    model.export(tmp_path / "mine.emx")
    assert (tmp_path / "mine.emx").read_bytes() == expected

    clusters, novelty, posterior = assigned(program, tmp_path, "digits")
    assert np.array_equal(model.labels_, clusters)
    assert np.allclose(model.novelty(digits), novelty, atol=6e-5)
    # The cluster is that of the best component, which need not be the one with the greatest posterior.
    own = np.take_along_axis(model.predict_proba(digits), model.labels_[:, None], axis=1)[:, 0]
    assert np.allclose(own, posterior, atol=6e-5)

    loaded = Edgemix.load(tmp_path / "mine.emx")
    assert (loaded.n_clusters_, loaded.method, loaded.name) == (model.n_clusters_, "grow", "digits")
    for answer in ["predict", "predict_proba", "novelty", "score_samples", "transform"]:
        assert np.array_equal(getattr(loaded, answer)(digits), getattr(model, answer)(digits)), answer


@pytest.mark.parametrize(
    ("flags", "parameters"),
    [
        (["--method", "dec", "--clusters", 4, "--seed", 7], {"method": "dec", "n_clusters": 4, "seed": 7}),
        (["--clusters", "3..6", "--holdout", 0.2], {"n_clusters": (3, 6), "holdout": 0.2}),
        (
            ["--set", "batch-size=64", "--set", "augmentation.shift=0.1"],
            {"settings": {"batch-size": 64, "augmentation.shift": 0.1}},
        ),
        (
            ["--method", "vade", "--clusters", 5, "--learning-rate", 0.002],
            {"method": "vade", "n_clusters": 5, "learning_rate": 2e-3},
        ),
    ],
)
def test_parameters_are_the_flags(program, digits, tmp_path, flags, parameters):
    flags = [*FLAGS, "--allow-disagreement", *flags]
    expected = trained(program, tmp_path, "digits", *flags)
    model = Edgemix(name="digits", allow_disagreement=True, **{**SHORT, **parameters}).fit(digits)
    assert model.model_.to_bytes() == expected


def test_groups_and_windows_are_those_of_an_archive(program, windows, tmp_path):
    counts, groups = windows
    np.savez(tmp_path / "machines.npz", x=counts, groups=groups)
    flags = ["--rate", 64, "--front-end", "spectrum:bands=6", "--method", "gmm", "--clusters", 3]
    expected = trained(program, tmp_path, "machines.npz", *flags)
    model = Edgemix("gmm", 3, name="machines", rate=64, front_end="spectrum:bands=6")
    model.fit(counts, groups=groups)
    assert model.model_.to_bytes() == expected
    assert np.array_equal(model.labels_, assigned(program, tmp_path, "machines.npz")[0])


def test_numbers_that_f32_is_too_coarse_for_are_those_of_a_file(program, tmp_path):
    draw = np.random.default_rng(2)
    seconds = 1.7e9 + np.concatenate([draw.normal(centre, 0.2, 150) for centre in (0, 4)])
    x = np.column_stack([seconds, draw.normal(0, 1, 300)])
    np.save(tmp_path / "times.npy", x)
    expected = trained(program, tmp_path, "times.npy", "--method", "gmm", "--clusters", 2)
    model = Edgemix("gmm", 2, name="times").fit(x)
    assert model.model_.to_bytes() == expected
    # What is subtracted is in the directory of the run, and in what pickle keeps.
    assert np.array_equal(Edgemix.load(tmp_path / "run").predict(x), model.labels_)
    assert np.array_equal(model.labels_, assigned(program, tmp_path, "times.npy")[0])


def test_a_run_that_is_kept_is_one_for_the_program(program, digits, tmp_path):
    np.save(tmp_path / "digits.npy", digits)
    Edgemix(name="digits.npy", run_dir=tmp_path / "run", allow_disagreement=True, **SHORT).fit(digits)
    assert "agreement" in program("evaluate", "run", cwd=tmp_path)

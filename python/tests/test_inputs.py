"""Arrays of every type and order, and what is refused."""

import warnings

import numpy as np
import pytest

from edgemix import METHODS, Edgemix, EdgemixWarning, InputError, TrainingError


@pytest.fixture(scope="module")
def fitted(blobs):
    return Edgemix("gmm", 3).fit(blobs)


def test_every_type_and_order_of_an_array_is_the_same(digits):
    digits = digits[::4]
    counts = digits.astype(np.int64)
    expected = Edgemix("kmeans", 10).fit(counts)
    spread = np.zeros((len(digits) * 2, 8, 8), np.int64)
    spread[::2] = counts
    read_only = counts.copy()
    read_only.setflags(write=False)
    arrays = [np.asfortranarray(counts), spread[::2], read_only, counts.tolist(), counts.astype(object)]
    types = ["u1", "i1", "<i2", ">i2", "u2", "i4", ">u4", "u8", "f2", "f4", ">f4", "f8", ">f8", "g"]
    arrays += [counts.astype(name) for name in types]
    for X in arrays:
        model = Edgemix("kmeans", 10).fit(X)
        assert model.model_.to_bytes() == expected.model_.to_bytes()
        assert np.array_equal(expected.predict(X), expected.labels_)
        assert np.array_equal(expected.transform(X), expected.transform(counts))


def test_f32_is_assigned_where_it_is(fitted, blobs):
    before = blobs.astype(np.float32)
    X = before.copy()
    assert np.array_equal(fitted.predict(X), fitted.predict(X.astype(np.float64)))
    assert np.array_equal(X, before)


def test_the_answers_have_the_shapes_of_scikit_learn(fitted, blobs):
    n = len(blobs)
    assert fitted.predict(blobs).shape == fitted.novelty(blobs).shape == fitted.score_samples(blobs).shape == (n,)
    proba = fitted.predict_proba(blobs)
    assert proba.shape == (n, 3) and np.allclose(proba.sum(axis=1), 1, atol=1e-3)
    assert np.array_equal(proba.argmax(axis=1), fitted.labels_)
    assert fitted.transform(blobs).shape == (n, fitted.model_.n_dims)
    assert fitted.model_.flash == len(fitted.model_.to_bytes())
    assert fitted.novelty([[100.0, -100.0, 100.0]])[0] < 0.02 < np.median(fitted.novelty(blobs))


def test_each_method_by_its_name():
    assert {"grow", "dec", "kmeans", "k-dvae"} <= set(METHODS)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"method": "ide"}, 'no method is named "ide" (did you mean idec?)'),
        ({"method": "dec", "n_clusters": (3, 5)}, "n_clusters: 3..5: dec needs a single number"),
        ({"n_clusters": 0}, "n_clusters: 0: there must be at least one cluster"),
        ({"n_clusters": 601}, "n_clusters: 601: 600 samples can't have more than 600 clusters"),
        ({"n_clusters": "many"}, "n_clusters='many': expected a number such as 10, a pair"),
        ({"n_clusters": 2.5}, "n_clusters=2.5: expected a number such as 10"),
        ({"seed": -1}, "seed=-1: expected a whole number of at least 0"),
        ({"encoder": "64-many"}, "encoder: "),
        ({"encoder": 64}, "encoder=64: expected layers such as"),
        ({"variant": "new"}, 'variant="new": expected paper or corrected'),
        ({"method": "dec", "variant": "paper"}, "variant: dec has a single variant; omit it"),
        ({"preset": "book"}, 'preset="book": expected paper'),
        ({"preset": "paper"}, 'preset: grow has no preset "paper"'),
        ({"front_end": "spectrum:ftt=64"}, "front_end: "),
        ({"holdout": 2.0}, "holdout: must be a share between 0 and 0.5"),
        ({"holdout": "much"}, "holdout='much': expected a number"),
        ({"settings": {"sede": 3}}, "settings: sede=3: unknown field `sede`"),
        ({"settings": {"augmentatoin.shift": 0.1}}, "there is no table augmentatoin (did you mean augmentation?)"),
        ({"level": "finest"}, 'level="finest": expected coarse, fine or a number of clusters'),
        ({"device": "gpu"}, "device: "),
        ({"existing": "keep"}, 'existing="keep": expected refuse, replace or resume'),
        ({"name": 3}, "name=3: expected a text"),
    ],
)
def test_wrong_parameters_are_named(blobs, parameters, sentence):
    with pytest.raises(InputError) as raised:
        Edgemix(**parameters).fit(blobs)
    assert sentence in str(raised.value) and isinstance(raised.value, ValueError)


def test_auto_takes_the_cpu_where_no_gpu_is_built_in(blobs):
    fits = [Edgemix(device=device).fit(blobs).model_.to_bytes() for device in ("auto", "cpu")]
    assert fits[0] == fits[1]


def test_wrong_samples_are_named(blobs, fitted):
    wrong = blobs.copy()
    wrong[7, 2] = np.nan
    for X, sentence in [
        (wrong, "samples: sample 7, feature 2 is NaN"),
        (blobs[:5], "5 samples are too few: at least 20 are needed"),
        (np.ones((40, 2)), "samples: all samples are the same"),
        (blobs.reshape(600, 3, 1, 1, 1), "its shape is [600, 3, 1, 1, 1]"),
        (blobs[0], "Reshape your data"),
        (np.array([["a", "b"]] * 30), "samples are numbers, not <U1"),
        (blobs.astype("M8[s]"), "samples are numbers, not datetime64[s]"),
    ]:
        with pytest.raises(ValueError) as raised:
            Edgemix("gmm", 3).fit(X)
        assert sentence in str(raised.value)
    with pytest.raises(ValueError, match="X: sample 7, feature 2 is NaN"):
        fitted.predict(wrong)
    with pytest.raises(ValueError, match="X: sample 7, feature 2 is NaN"):
        fitted.predict(wrong.astype(np.float32))
    for groups in [np.zeros(9, int), np.zeros((600, 2), int)]:
        with pytest.raises(ValueError, match="groups"):
            Edgemix("gmm", 3).fit(blobs, groups=groups)


def test_groups_of_any_kind_are_numbered(blobs):
    words = np.repeat(["b", "a", "c", "d", "e", "f"], 100)
    numbers = np.repeat(np.arange(6), 100)
    expected = Edgemix("gmm", 3).fit(blobs, groups=numbers).model_.to_bytes()
    for groups in [words, words.tolist(), words.astype(object), numbers.tolist(), numbers.astype(np.uint8)]:
        assert Edgemix("gmm", 3).fit(blobs, groups=groups).model_.to_bytes() == expected


def test_what_is_missing_or_damaged_is_an_error_of_its_kind(fitted, tmp_path):
    with pytest.raises(FileNotFoundError, match="none.emx"):
        Edgemix.load(tmp_path / "none.emx")
    path = tmp_path / "damaged.emx"
    damaged = bytearray(fitted.model_.to_bytes())
    damaged[len(damaged) // 2] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(InputError, match="damaged.emx"):
        Edgemix.load(path)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        fitted.export(tmp_path / "nowhere" / "model.emx")


def test_a_disagreement_is_an_error_unless_it_is_allowed():
    # Far values make the steps of the integers coarse, and there are many clusters.
    X = np.random.default_rng(0).standard_t(1, (1000, 30))
    model = Edgemix("ae-kmeans", 200, encoder="64-64-64-2", pretrain_epochs=1, cluster_epochs=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EdgemixWarning)
        with pytest.raises(TrainingError, match="at least 98.5 % is required.*allow_disagreement=True") as raised:
            model.fit(X)
    assert isinstance(raised.value, RuntimeError)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.set_params(allow_disagreement=True).fit(X)
    assert any("at least 98.5 % is required" in str(warning.message) for warning in caught)
    assert {warning.category for warning in caught} == {EdgemixWarning}


def test_a_run_is_kept_and_not_overwritten(blobs, tmp_path):
    model = Edgemix("kmeans", 3, run_dir=tmp_path / "run").fit(blobs)
    first = (tmp_path / "run" / "model.emx").read_bytes()
    assert first == model.model_.to_bytes()
    with pytest.raises(InputError, match='existing="resume"'):
        model.fit(blobs)
    model.set_params(existing="replace", n_clusters=4).fit(blobs)
    assert (tmp_path / "run" / "model.emx").read_bytes() == model.model_.to_bytes() != first
    assert Edgemix.load(tmp_path / "run").n_clusters_ == 4

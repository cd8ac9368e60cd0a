"""The package without scikit-learn: `cargo xtask python` runs this where only the wheel and numpy are installed."""

import importlib.util
import pathlib
import pickle
import sys
import tempfile

import numpy as np

from edgemix import Edgemix, InputError, __version__

assert importlib.util.find_spec("sklearn") is None and "sklearn" not in sys.modules

draw = np.random.default_rng(0)
X = np.concatenate([draw.normal(centre, 0.3, (200, 2)) for centre in (-2, 0, 2)])

model = Edgemix(seed=3)
assert repr(model) == "Edgemix(seed=3)" and model.get_params()["method"] == "grow"
try:
    model.predict(X)
except (ValueError, AttributeError) as error:
    assert "not fitted yet" in str(error)
else:
    raise AssertionError("an estimator that was not fitted predicts")
try:
    model.set_params(clusters=3)
except ValueError as error:
    assert "n_clusters" in str(error)
else:
    raise AssertionError("there is no such parameter")

labels = model.fit_predict(X)
assert model.n_clusters_ == 3 and np.array_equal(labels, model.predict(X))
assert np.array_equal(model.fit_transform(X), model.transform(X))
assert model.novelty([[9.0, -9.0]])[0] <= 0.02
assert np.array_equal(pickle.loads(pickle.dumps(model)).predict(X), labels)
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder) / "model.emx"
    model.export(path)
    assert np.array_equal(Edgemix.load(path).predict(X), labels)
try:
    model.set_params(method="grw").fit(X)
except InputError as error:
    assert "did you mean grow?" in str(error)
else:
    raise AssertionError("there is no such method")

print(f"edgemix {__version__} works with numpy {np.__version__} alone")

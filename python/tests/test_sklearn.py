"""scikit-learn's conventions, by its own checks."""

import pickle

import numpy as np
import pytest
from conftest import SHORT
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from edgemix import Edgemix

# The checks fit noise and a few samples, of which a fit warns.
pytestmark = pytest.mark.filterwarnings("ignore::edgemix.EdgemixWarning")

ESTIMATORS = [
    Edgemix("kmeans", 3, allow_disagreement=True),
    Edgemix("gmm", 3, allow_disagreement=True),
    Edgemix("ae-kmeans", 3, allow_disagreement=True, **SHORT),
    Edgemix(allow_disagreement=True),
]


# These checks fit fewer samples than clusters can be found in; `xfail_strict` shows when one no longer does.
FEWER_THAN_20 = ["check_n_features_in_after_fitting", "check_estimators_nan_inf", "check_fit2d_1feature"]


def not_applicable(_):
    """The checks that can't pass, and why."""
    return {check: "at least 20 samples are needed to find clusters" for check in FEWER_THAN_20}


@parametrize_with_checks(ESTIMATORS, expected_failed_checks=not_applicable)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_pipelines_and_clones(blobs):
    pipeline = make_pipeline(StandardScaler(), Edgemix("kmeans", 3))
    labels = pipeline.fit_predict(blobs)
    assert sorted(np.unique(labels, return_counts=True)[1]) == [200, 200, 200]
    assert np.array_equal(pipeline.predict(blobs), labels)
    again = clone(pipeline).set_params(edgemix__n_clusters=4).fit(blobs)
    assert again["edgemix"].n_clusters_ == 4 and again.transform(blobs).shape == (600, again["edgemix"].model_.n_dims)


def test_a_pickled_model_answers_the_same(blobs):
    far = blobs + [0, 1.7e9, 0]
    for x in [blobs, far, blobs.astype(np.float32)]:
        model = Edgemix("gmm", 3).fit(x)
        again = pickle.loads(pickle.dumps(model))
        assert again.model_.to_bytes() == model.model_.to_bytes()
        for answer in ["predict", "predict_proba", "novelty", "transform"]:
            assert np.array_equal(getattr(again, answer)(x), getattr(model, answer)(x))

"""scikit-learn's base classes, or what little of them is needed where it is not installed."""

import inspect

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
    from sklearn.exceptions import NotFittedError
except ImportError:

    class NotFittedError(ValueError, AttributeError):
        """The estimator was used before it was fitted."""

    class BaseEstimator:
        """Parameters of an estimator, which are the arguments of its `__init__`."""

        @classmethod
        def _get_param_names(cls):
            return sorted(name for name in inspect.signature(cls.__init__).parameters if name != "self")

        def get_params(self, deep=True):
            """The parameters by name."""
            return {name: getattr(self, name) for name in self._get_param_names()}

        def set_params(self, **params):
            """Sets parameters by name, and returns the estimator."""
            known = self._get_param_names()
            for name, value in params.items():
                if name not in known:
                    raise ValueError(
                        f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {known!r}."
                    )
                setattr(self, name, value)
            return self

        def __repr__(self):
            defaults = inspect.signature(type(self).__init__).parameters
            changed = (
                f"{name}={value!r}"
                for name, value in self.get_params().items()
                if repr(value) != repr(defaults[name].default)
            )
            return f"{type(self).__name__}({', '.join(changed)})"

    class ClusterMixin:
        """Adds `fit_predict`."""

        def fit_predict(self, X, y=None, **fit_params):
            """Fits, and gives the cluster of each sample."""
            return self.fit(X, y, **fit_params).labels_

    class TransformerMixin:
        """Adds `fit_transform`."""

        def fit_transform(self, X, y=None, **fit_params):
            """Fits, and gives the latent of each sample."""
            return self.fit(X, y, **fit_params).transform(X)

    class ClassNamePrefixFeaturesOutMixin:
        """Has something to add only with scikit-learn."""


__all__ = ["BaseEstimator", "ClassNamePrefixFeaturesOutMixin", "ClusterMixin", "NotFittedError", "TransformerMixin"]

"""The estimator."""

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _arrays, _edgemix
from ._compat import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, NotFittedError, TransformerMixin
from ._parameters import spelt


class EdgemixWarning(UserWarning):
    """The training succeeded, but its result may be of no use. The message says why."""


class Progress(NamedTuple):
    """What a callback is told, and an entry of `history_`."""

    phase: str
    """The phase, such as `reconstruct`, or work that has no epochs."""
    epoch: int
    """The epoch that has ended, from 1; 0 for work that has no epochs."""
    epochs: int
    """The epochs of the phase."""
    losses: dict[str, float]
    """The mean of each loss term over the epoch."""
    clusters: int | None
    """The number of clusters at the start of the epoch, or `None` before there are any."""


class Edgemix(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """An encoder and its clusters, trained here and run in integers on a microcontroller.

    A fit learns an encoder and clusters of its latents, converts both to integers, and holds out a tenth of the samples to
    learn how unusual a sample must be to be novel. Everything that is predicted comes from the integers: the same bits as
    on the chip. The same samples, parameters and seed give the same model file as `edgemix train`.

    Parameters
    ----------
    method : str, default="grow"
        A name in `edgemix.METHODS`.
    n_clusters : int, (int, int), "auto" or None, default=None
        The number of clusters, or the least and the most. `grow` and `alpha-jsd` find it themselves.
    seed : int, default=0
        The seed of all random draws.
    encoder : str or list of int, default=None
        The layers from the first hidden one to the latent, such as `"256-128-10"` or `"conv:8k3p1,max2,10"`. `None` leaves
        them to the method and the samples; `"none"` clusters the features themselves.
    variant : {"corrected", "paper"}, default=None
        The method as corrected, or as printed in its paper, if there are both.
    preset : {"paper"}, default=None
        All settings of the method's paper, which the other parameters change.
    front_end : str, default=None
        What computes features of windows, such as `"spectrum:fft=64"` or `"none"`.
    rate : float, default=None
        Instants in a second, so that bands of a spectrum have frequencies.
    pretrain_epochs, cluster_epochs : int, default=None
        Epochs of reconstruction, and with the clustering loss. `None` leaves them to the number of samples.
    learning_rate : float, default=None
        That of the optimiser; `None` is 0.001.
    holdout : float, default=None
        The share of the samples that is held out of training, for novelty and posteriors; `None` is 0.1.
    level : {"coarse", "fine"} or int, default=None
        The level of which the model file has the clusters, or its number of clusters. `None` takes those that were trained.
    settings : dict, default=None
        Any settings by their paths in the `config.toml` of a run, such as `{"augmentation.shift": 0.2}`.
    allow_disagreement : bool, default=False
        Whether to take the integers even if they disagree with the trained model, with a warning.
    device : str, default="cpu"
        Where networks are trained: `"cpu"`, or `"auto"` for a GPU where there is one and the package was built for it.
    name : str, default="samples"
        What the model file calls the samples.
    run_dir : path, default=None
        The directory of the run, for `edgemix report` and the other commands. `None` keeps no files.
    existing : {"refuse", "replace", "resume"}, default="refuse"
        What is done with a run that is already in `run_dir`.

    Attributes
    ----------
    n_clusters_ : int
        The number of clusters.
    labels_ : ndarray of shape (n_samples,)
        The cluster of each sample of the fit. A model that was loaded has none.
    model_ : edgemix._edgemix.Model
        The model file: `flash`, `ram`, `macs`, `n_dims`, `to_bytes()`.
    history_ : list of Progress
        Each epoch's losses. A model that was loaded has none.
    notes_ : list of str
        What is good to know of the samples and of the result. A model that was loaded has none.
    n_features_in_ : int
        The number of features of a sample, whatever its shape.
    feature_names_in_ : ndarray of shape (n_features_in_,)
        The names of the columns, if the samples of the fit had any.

    Examples
    --------
    >>> import numpy as np
    >>> from edgemix import Edgemix
    >>> draw = np.random.default_rng(0)
    >>> X = np.concatenate([draw.normal(center, 0.3, (200, 2)) for center in (-2, 0, 2)])
    >>> model = Edgemix().fit(X)
    >>> model.n_clusters_
    3
    >>> bool(model.novelty([[9.0, -9.0]])[0] <= 0.02)
    True
    """

    def __init__(
        self,
        method: str = "grow",
        n_clusters: int | tuple[int, int] | str | None = None,
        seed: int = 0,
        *,
        encoder: str | Sequence[int] | None = None,
        variant: str | None = None,
        preset: str | None = None,
        front_end: str | None = None,
        rate: float | None = None,
        pretrain_epochs: int | None = None,
        cluster_epochs: int | None = None,
        learning_rate: float | None = None,
        holdout: float | None = None,
        level: str | int | None = None,
        settings: Mapping[str, Any] | None = None,
        allow_disagreement: bool = False,
        device: str = "cpu",
        name: str = "samples",
        run_dir: str | os.PathLike[str] | None = None,
        existing: str = "refuse",
    ) -> None:
        self.method = method
        self.n_clusters = n_clusters
        self.seed = seed
        self.encoder = encoder
        self.variant = variant
        self.preset = preset
        self.front_end = front_end
        self.rate = rate
        self.pretrain_epochs = pretrain_epochs
        self.cluster_epochs = cluster_epochs
        self.learning_rate = learning_rate
        self.holdout = holdout
        self.level = level
        self.settings = settings
        self.allow_disagreement = allow_disagreement
        self.device = device
        self.name = name
        self.run_dir = run_dir
        self.existing = existing

    def fit(
        self,
        X: ArrayLike,
        y: object = None,
        *,
        groups: ArrayLike | None = None,
        callback: Callable[[Progress], object] | None = None,
    ) -> Self:
        """Learns an encoder and its clusters.

        Parameters
        ----------
        X : array of shape (n_samples, n_features)
            Numbers of any type. `N x height x width` are images if they are square, `N x height x width x channels` are
            images, and `N x instants x channels` are windows of a recording.
        y : ignored
        groups : array of shape (n_samples,), default=None
            What each sample was taken from: a user, a device, a recording. No group is both trained on and held out.
        callback : callable, default=None
            Is called with a `Progress` after each epoch. What it raises ends the fit, as Ctrl-C does: with a `run_dir`
            after the epoch, so that `existing="resume"` continues from there.

        Returns
        -------
        self

        Raises
        ------
        InputError
            If samples or parameters can't be used. It is a `ValueError`.
        TrainingError
            If the training fails, or the integers disagree with what was trained. It is a `RuntimeError`.
        """
        names = _arrays.names(X)
        X = _arrays.samples(X)
        numbers = None if groups is None else _arrays.group_numbers(groups)
        tell = None if callback is None else lambda *fields: callback(Progress(*fields))
        columns = [] if names is None or X.ndim > 2 else names.tolist()
        fitted = _edgemix.fit(_arrays.taken_apart(X), spelt(self.get_params(deep=False)), columns, numbers, tell)
        for sentence in fitted.warnings:
            warnings.warn(sentence, EdgemixWarning, stacklevel=2)
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self._take(fitted.model)
        self.history_ = [Progress(*fields) for fields in fitted.history]
        self.notes_ = fitted.notes
        self.labels_ = self._assigned(X)[0]
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int32]:
        """The cluster of each sample, as the chip assigns it: `ndarray of shape (n_samples,)`."""
        return self._assigned(self._checked(X))[0]

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """The posterior probability of each cluster: `ndarray of shape (n_samples, n_clusters_)`.

        Its temperature is calibrated on the held-out samples.
        """
        X = self._checked(X)
        return self.model_.posteriors(_arrays.taken_apart(X))

    def novelty(self, X: ArrayLike) -> NDArray[np.float32]:
        """The p-value of each sample: the share of known samples that are at least as unusual.

        Small values mean novel. Of samples that are like the held-out ones, `novelty(X) <= rate` holds for a share of
        `rate`, on average over models.
        """
        return self._assigned(self._checked(X))[1]

    def score_samples(self, X: ArrayLike) -> NDArray[np.float32]:
        """The log-density of each sample's best component, in nats: `ndarray of shape (n_samples,)`."""
        return self._assigned(self._checked(X))[2]

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """The latent of each sample, from the integers: `ndarray of shape (n_samples, n_dims)`."""
        X = self._checked(X)
        if self.model_.n_dims == 0:
            raise AttributeError("each cluster of this model has latents of its own, so that there are none to compare")
        return self.model_.latents(_arrays.taken_apart(X))

    def export(self, path: str | os.PathLike[str]) -> None:
        """Writes the model file, which a firmware embeds. It appears whole or not at all."""
        self._check_is_fitted()
        self.model_.save(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """An estimator with the model of an .emx file, or of a run's directory."""
        model = _edgemix.Model.load(path)
        loaded = cls(name=model.name)
        if model.method in _edgemix.METHODS:
            loaded.method = model.method
        loaded._take(model)
        return loaded

    def _take(self, model):
        self.model_ = model
        self.n_clusters_ = model.n_clusters
        self.n_features_in_ = model.n_features
        self._n_features_out = model.n_dims

    def _assigned(self, X):
        """Clusters, p-values and log-densities."""
        clusters, _, log_densities, p_values, _ = self.model_.assign(_arrays.taken_apart(X))
        return clusters.astype(np.int32), p_values, log_densities

    def _checked(self, X):
        """Samples that the model takes."""
        self._check_is_fitted()
        names = _arrays.names(X)
        _arrays.check_names(getattr(self, "feature_names_in_", None), names, type(self).__name__)
        X = _arrays.samples(X)
        found, expected = _arrays.n_features(X), self.n_features_in_
        if found != expected:
            raise _edgemix.InputError(
                f"X has {found} features, but {type(self).__name__} is expecting {expected} features as input."
            )
        return X

    def _check_is_fitted(self):
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' with samples, or load a model."
            )

    def __sklearn_is_fitted__(self):
        return hasattr(self, "model_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        # Latents are f32 whatever the samples are.
        tags.transformer_tags.preserves_dtype = []
        tags.input_tags.three_d_array = True
        return tags

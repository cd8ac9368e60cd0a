"""The trainer of edgemix. The classes of the package `edgemix` are made for people."""

from collections.abc import Callable
from os import PathLike
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

METHODS: list[str]
__version__: str

# Bytes, type, shape, and whether the first index runs fastest.
Array: TypeAlias = tuple[NDArray[np.uint8], str, list[int], bool]
# Phase, epoch, epochs, losses and clusters.
Report: TypeAlias = tuple[str, int, int, dict[str, float], int | None]

class InputError(ValueError):
    """What was given is wrong: samples, a parameter, a file. The message says what was expected."""

class TrainingError(RuntimeError):
    """The training failed, or what it learned can't become a model file. The message says why."""

class Model:
    """A model file, checked."""

    def __new__(cls, data: bytes, n_columns: int = 0, origins: list[float] = ...) -> Model: ...
    @staticmethod
    def load(path: str | PathLike[str]) -> Model:
        """Reads an .emx file, or that of a run's directory."""

    def save(self, path: str | PathLike[str]) -> None:
        """Writes the .emx file, which appears whole or not at all."""

    def to_bytes(self) -> bytes:
        """The bytes of the .emx file."""

    def assign(
        self, array: Array
    ) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Cluster, component, log-density in nats, p-value and posterior of each sample."""

    def posteriors(self, array: Array) -> NDArray[np.float32]:
        """The posterior probability of each cluster, `N x n_clusters`."""

    def latents(self, array: Array) -> NDArray[np.float32]:
        """The latents, dequantised, `N x n_dims`. Empty where each cluster has latents of its own."""

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""

    @property
    def n_features(self) -> int:
        """Number of features of a sample."""

    @property
    def n_dims(self) -> int:
        """Number of dimensions of a latent; 0 where each cluster has latents of its own."""

    @property
    def name(self) -> str:
        """What the samples are called that it was trained on."""

    @property
    def method(self) -> str:
        """The method that trained it."""

    @property
    def flash(self) -> int:
        """Bytes of flash: the size of the file."""

    @property
    def ram(self) -> int:
        """Bytes of RAM that an assignment needs."""

    @property
    def macs(self) -> int:
        """Multiply-accumulates of an assignment."""

class Fitted:
    """The result of a fit: the model, and what people should know of it."""

    @property
    def model(self) -> Model:
        """The model file."""

    @property
    def warnings(self) -> list[str]:
        """Why the result may be of no use."""

    @property
    def notes(self) -> list[str]:
        """What is good to know of the samples and the result."""

    @property
    def history(self) -> list[Report]:
        """Phase, epoch, epochs, losses and clusters of each epoch."""

def fit(
    array: Array,
    parameters: dict[str, Any],
    names: list[str],
    groups: list[int] | None,
    callback: Callable[..., object] | None,
) -> Fitted:
    """Fits a model to the samples of an array. `callback` is told of each epoch."""

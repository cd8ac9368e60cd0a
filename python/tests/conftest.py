"""What several tests need: samples, and the program."""

import os
import subprocess

import numpy as np
import pytest
from sklearn.datasets import load_digits

# Seconds of training that no test needs.
SHORT = {"encoder": "16-4", "pretrain_epochs": 3, "cluster_epochs": 2}


@pytest.fixture(scope="session")
def digits():
    """The images that the program has, too: 1,797 of 8 x 8 pixels."""
    return load_digits().images


@pytest.fixture(scope="session")
def blobs():
    """600 samples of 3 features in three groups."""
    draw = np.random.default_rng(0)
    return np.concatenate([draw.normal(centre, 0.5, (200, 3)) for centre in (-3, 0, 3)])


@pytest.fixture(scope="session")
def windows():
    """300 windows of 64 instants and two channels, as an accelerometer counts, of three machines."""
    draw = np.random.default_rng(1)
    time = np.arange(64) / 64
    speed = np.repeat([3, 9, 17], 100)[:, None]
    phase = draw.uniform(0, 2 * np.pi, (300, 1))
    signal = np.stack([np.sin(2 * np.pi * speed * time + phase), np.cos(2 * np.pi * 2 * speed * time + phase)], axis=2)
    counts = (1000 * signal + draw.normal(0, 60, signal.shape)).round().astype(np.int16)
    order = draw.permutation(300)
    return counts[order], np.arange(300) // 20


@pytest.fixture(scope="session")
def program():
    """Runs the program, which `cargo xtask python` has built."""
    path = os.environ.get("EDGEMIX_PROGRAM")
    if path is None:
        pytest.skip("EDGEMIX_PROGRAM names no program to compare with")

    def run(*arguments, cwd):
        done = subprocess.run([path, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run

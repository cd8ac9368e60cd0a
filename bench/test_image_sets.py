"""Tests of the scripts that make image sets: run by `cargo xtask python`."""
import hashlib
import os
import sys

import numpy as np
import pytest

sys.path.insert(0, os.path.dirname(__file__))

import digit_pairs  # noqa: E402
import imbalanced  # noqa: E402

SIDE = 4


@pytest.fixture
def files(tmp_path):
    """Forty images of each digit, whose first pixel is the digit and whose second is the number of the image."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 40)
    images = np.zeros((400, SIDE, SIDE), np.uint8)
    images[:, 0, 0], images[:, 0, 1] = labels, np.arange(400) // 10
    paths = [tmp_path / name for name in ("images", "labels", "out.npz")]
    for path, array in zip(paths, (images, labels)):
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes())
    return [str(path) for path in paths]


def made(script, files, *more):
    script.main([*files, *more])
    with np.load(files[2]) as archive:
        return archive["images"], archive["labels"]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def test_sizes_of_classes_fall_to_a_thirteenth(files):
    images, labels = made(imbalanced, files)
    sizes = np.bincount(labels)
    assert sizes[0] == 40 and sizes[9] == 3 and (np.diff(sizes) < 0).all()
    assert set(np.diff(sizes)) == {-4, -5}
    assert (images[:, 0, 0] == labels).all()
    assert len({tuple(image) for image in images[:, 0, :2]}) == len(images), "an image was taken twice"
    even = made(imbalanced, files, "--ratio", "1")[1]
    assert (np.bincount(even) == 40).all()


def test_pairs_show_the_digits_of_their_class(files):
    images, labels = made(digit_pairs, files, "--pairs", "1050")
    assert images.shape == (1050, SIDE, 2 * SIDE, 1)
    assert set(np.bincount(labels)) == {10, 11}
    assert (images[:, 0, 0, 0] == labels // 10).all() and (images[:, 0, SIDE, 0] == labels % 10).all()
    # 105 of 40 images: each is drawn at least twice, and at most three times.
    for digit in range(10):
        drawn = np.bincount(images[labels // 10 == digit, 0, 1, 0], minlength=40)
        assert drawn.min() >= 2 and drawn.max() <= 3


@pytest.mark.parametrize("script", [imbalanced, digit_pairs])
def test_a_seed_gives_one_file_and_another_another(script, files):
    digests = []
    for seed in ("0", "0", "1"):
        made(script, files, "--seed", seed)
        digests.append(digest(files[2]))
    assert digests[0] == digests[1] != digests[2]


def test_files_that_are_wrong_are_refused_by_name(files):
    for script in (imbalanced, digit_pairs):
        with pytest.raises(SystemExit, match="a label for each"):
            script.main([files[0], files[0], files[2]])
        with pytest.raises(SystemExit, match="not a whole IDX file"):
            script.main([__file__, files[1], files[2]])
    with pytest.raises(SystemExit, match="--ratio"):
        imbalanced.main([*files, "--ratio", "0.5"])
    with pytest.raises(SystemExit, match="--pairs"):
        digit_pairs.main([*files, "--pairs", "99"])
    assert not os.path.exists(files[2])

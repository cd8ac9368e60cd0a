"""Make 100 classes of images: two digits side by side, from 00 to 99.

    python bench/digit_pairs.py images-idx3-ubyte labels-idx1-ubyte pairs.npz [--pairs 60000] [--seed 0]

The two inputs are IDX files, packed by gzip or not, such as those of MNIST, whose pairs are images of 28 x 56. Each class has as
many pairs as the others, up to one. The digits of a side are drawn in a random order from the images of that digit, and come
again only when all have been drawn. The output has the arrays `images` and `labels`, in a random order. The script needs Python
alone.
"""
import argparse
import random

from images import Images, write_npz


def draws(indices, rng):
    """The indices in a random order, and again in another one, without end."""
    while True:
        yield from rng.sample(indices, len(indices))


def pairs(by_label, count, seed):
    """The left image, the right image and the class of each pair."""
    rng = random.Random(seed)
    classes = [number % 100 for number in range(count)]
    rng.shuffle(classes)
    left, right = ({digit: draws(indices, rng) for digit, indices in by_label.items()} for _ in range(2))
    return [(next(left[number // 10]), next(right[number % 10]), number) for number in classes]


def side_by_side(left, right, width):
    """The rows of two images, one behind the other."""
    starts = range(0, len(left), width)
    return b"".join(left[start : start + width] + right[start : start + width] for start in starts)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("labels")
    parser.add_argument("out")
    parser.add_argument("--pairs", type=int, default=60000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.pairs < 100:
        raise SystemExit("--pairs: 100 classes need at least 100 pairs")
    images = Images(options.images, options.labels)
    by_label = images.by_label()
    if list(by_label) != list(range(10)):
        raise SystemExit(f"{options.labels}: the labels are not the digits from 0 to 9")
    found = pairs(by_label, options.pairs, options.seed)
    joined = b"".join(side_by_side(images.image(left), images.image(right), images.width) for left, right, _ in found)
    # With a channel, images that are not square are images, and no table.
    shape = (len(found), images.height, 2 * images.width, 1)
    write_npz(options.out, joined, shape, [number for _, _, number in found])
    print(f"{len(found)} images of {images.height} x {2 * images.width} in 100 classes of at least {len(found) // 100}")


if __name__ == "__main__":
    main()

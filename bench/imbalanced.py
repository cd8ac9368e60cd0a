"""Choose images of each class so that the sizes of the classes fall evenly from 1 to 1/13 of the largest one.

    python bench/imbalanced.py images-idx3-ubyte labels-idx1-ubyte imbalanced.npz [--ratio 13] [--seed 0]

The two inputs are IDX files, packed by gzip or not, such as those of MNIST. The first class keeps as many images as the smallest
class has, and the last one a thirteenth of them: Wang and Jiang, "Unsupervised deep clustering via adaptive GMM modeling and
optimization", 2021, cluster documents whose largest class has 13 times the samples of the smallest one (figure 3, table 5). The
output has the arrays `images` and `labels`. The script needs Python alone.
"""
import argparse
import random

from images import Images, write_npz


def choose(by_label, ratio, seed):
    """The indices of the images that are kept, in their order."""
    rng = random.Random(seed)
    most, last = min(map(len, by_label.values())), max(len(by_label) - 1, 1)
    kept = []
    for place, indices in enumerate(by_label.values()):
        share = 1 - (1 - 1 / ratio) * place / last
        kept += rng.sample(indices, round(most * share))
    return sorted(kept)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("images")
    parser.add_argument("labels")
    parser.add_argument("out")
    parser.add_argument("--ratio", type=float, default=13.0, help="how many times larger the largest class is")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args(arguments)
    if options.ratio < 1:
        raise SystemExit("--ratio: the largest class is at least as large as the smallest one")
    images = Images(options.images, options.labels)
    kept = choose(images.by_label(), options.ratio, options.seed)
    labels = [images.labels[index] for index in kept]
    pixels = b"".join(map(images.image, kept))
    write_npz(options.out, pixels, (len(kept), images.height, images.width), labels)
    sizes = ", ".join(str(labels.count(label)) for label in sorted(set(labels)))
    print(f"{len(kept)} images; by class: {sizes}")


if __name__ == "__main__":
    main()

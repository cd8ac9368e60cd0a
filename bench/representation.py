"""Compare what tables of few columns are clustered in: the columns themselves, and the latents of encoders.

    python bench/representation.py target/release/edgemix [--samples 500] [--seeds 2]

Tables have 1 or 5 spherical clusters of deviation 1, whose centres are at least 8 apart, in 2, 3 and 8 columns. Each is
clustered by `grow` without an encoder, with a latent as wide as the table, and with the usual latent of 10 dimensions; the
number of clusters is not given. The script needs numpy.
"""
import argparse
import json
import os
import subprocess
import tempfile

import numpy as np


def blobs(clusters, columns, samples, seed, apart=8.0):
    """Samples of spherical Gaussians, and the index of each sample's Gaussian."""
    rng = np.random.default_rng(seed)
    width, centers = apart * clusters ** (1 / columns), []
    while len(centers) < clusters:
        center = rng.uniform(-width, width, columns)
        if all(np.linalg.norm(center - other) >= apart for other in centers):
            centers.append(center)
        else:
            width *= 1.001
    labels = np.arange(samples) % clusters
    return np.array(centers)[labels] + rng.normal(size=(samples, columns)), labels


def run(program, folder, encoder, x, y):
    """The number of clusters, and the adjusted Rand index; None if the program refuses."""
    path, out = os.path.join(folder, "x.npz"), os.path.join(folder, "run")
    np.savez(path, x=x.astype(np.float32), y=y)
    trained = subprocess.run([program, "train", path, "--out", out, "--force", "--encoder", encoder], capture_output=True)
    if trained.returncode:
        return None
    found = json.loads(subprocess.run([program, "evaluate", out, "--json"], capture_output=True, check=True).stdout)
    return found["int8"]["clusters"], found["int8"]["scores"]["ari"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--seeds", type=int, default=2)
    options = parser.parse_args()
    print("| columns | encoder | tables with the right number | numbers found for 1 | for 5 | mean ARI of 5 | refused |")
    print("|---|---|---|---|---|---|---|")
    for columns in (2, 3, 8):
        for encoder in dict.fromkeys(("none", f"256-128-{columns}", "256-128-10")):
            found = {1: [], 5: []}
            with tempfile.TemporaryDirectory() as folder:
                for clusters, runs in found.items():
                    for seed in range(options.seeds):
                        x, y = blobs(clusters, columns, options.samples, 1000 * seed + 10 * columns + clusters)
                        runs.append(run(options.program, folder, encoder, x, y))
            numbers = {k: [one[0] for one in runs if one] for k, runs in found.items()}
            right = sum(number == k for k, all in numbers.items() for number in all)
            ari = [one[1] for one in found[5] if one]
            refused = sum(one is None for runs in found.values() for one in runs)
            each = [", ".join(map(str, numbers[k])) for k in found]
            mean = f"{np.mean(ari):.3f}" if ari else ""
            print(f"| {columns} | `{encoder}` | {right} of {2 * options.seeds} | {each[0]} | {each[1]} | {mean} | {refused} |", flush=True)


if __name__ == "__main__":
    main()

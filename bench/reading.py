"""Compare `edgemix assign` of a large table, the whole program, with polars reading the same file, in the same run.

    python bench/reading.py target/release/edgemix [--rows 1000000] [--columns 8] [--rounds 5] [--folder DIR]

The script needs numpy and polars. It writes a table of Gaussian clusters as CSV, with six significant digits, and as Parquet,
compressed by zstd as polars does by default; trains `grow` on the first 10,000 rows; and then, in turns, assigns all rows with
that model and reads the file with polars, as f32, on as many threads. Of each, the median of the rounds counts; polars' import
and Python's start are not timed, but the start of edgemix, its reading of the model and the writing of the clusters are.
"""
import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

READ = """
import sys, time
import polars as pl
path, columns = sys.argv[1], int(sys.argv[2])
start = time.perf_counter()
if path.endswith(".csv"):
    frame = pl.read_csv(path, schema={f"x{i}": pl.Float32 for i in range(columns)})
else:
    frame = pl.read_parquet(path)
print(time.perf_counter() - start, frame.height)
"""


def table(rows, columns):
    import numpy as np

    random = np.random.default_rng(0)
    centres = random.normal(size=(6, columns)) * 4
    values = centres[random.integers(6, size=rows)] + random.normal(size=(rows, columns))
    return values.astype(np.float32)


def write(folder, rows, columns):
    import polars as pl

    frame = pl.DataFrame(table(rows, columns), schema=[f"x{i}" for i in range(columns)], orient="row")
    frame.write_csv(folder / "large.csv", float_precision=5)
    frame = pl.read_csv(folder / "large.csv", schema={name: pl.Float32 for name in frame.columns})
    frame.write_parquet(folder / "large.parquet")
    frame.head(10_000).write_csv(folder / "small.csv", float_precision=5)


def seconds_of(command):
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def compare(program, folder, name, columns, rounds):
    path, out = folder / f"large.{name}", folder / "clusters.csv"
    assigning, reading = [], []
    for _ in range(rounds):
        assigning.append(seconds_of([program, "assign", folder / "run", path, "-o", out]))
        found = subprocess.run([sys.executable, "-c", READ, path, str(columns)], check=True, capture_output=True, text=True)
        reading.append(float(found.stdout.split()[0]))
    assigned, read = statistics.median(assigning), statistics.median(reading)
    megabytes = path.stat().st_size / 1e6
    print(f"{name:8} {megabytes:6.1f} MB   assign {assigned:6.2f} s   polars reads {read:6.2f} s   {assigned / read:5.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--folder", help="where to keep the files [default: a temporary folder]")
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(options.folder or temporary)
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / "large.parquet").exists():
            write(folder, options.rows, options.columns)
        if not (folder / "run").exists():
            train = [program, "train", folder / "small.csv", "--out", folder / "run", "--encoder", "none"]
            subprocess.run(train, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        print(f"{options.rows:,} rows of {options.columns} columns, {os.cpu_count()} cores, median of {options.rounds} rounds")
        for name in ["csv", "parquet"]:
            compare(program, folder, name, options.columns, options.rounds)
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of a program: {peak:,.0f} MiB")


if __name__ == "__main__":
    main()

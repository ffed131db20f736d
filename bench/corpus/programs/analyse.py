#!/usr/bin/env python3
"""numpy, scipy and pandas on a table: statistics of its numeric columns, one by one or in parallel."""

import argparse
import sys

import numpy as np
import pandas as pd

METHODS = ("stats", "fft", "corr", "fit", "pivot")
FORMATS = ("csv", "json", "npz", "pickle")


def spectrum(column):
    """Runs in a process or thread of its own where that is asked for."""
    from scipy import signal

    name, values = column
    _, power = signal.welch(values, nperseg=min(256, len(values)))
    return name, float(power.sum()), float(np.median(values))


def spectra(numbers: pd.DataFrame, jobs: int, threads: int) -> pd.DataFrame:
    columns = [(name, numbers[name].to_numpy()) for name in numbers.columns]
    if jobs > 1:
        import multiprocessing

        with multiprocessing.Pool(jobs) as pool:
            rows = pool.map(spectrum, columns)
    elif threads:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(threads) as pool:
            rows = list(pool.map(spectrum, columns))
    else:
        rows = [spectrum(column) for column in columns]
    return pd.DataFrame(rows, columns=["column", "power", "median"]).set_index("column")


def lines(numbers: pd.DataFrame) -> pd.DataFrame:
    from scipy import optimize

    x = np.arange(len(numbers))
    rows = []
    for name in numbers.columns:
        best, _ = optimize.curve_fit(lambda x, slope, start: slope * x + start, x, numbers[name].to_numpy())
        rows.append(best)
    return pd.DataFrame(rows, index=numbers.columns, columns=["slope", "start"]).round(6)


def main() -> None:
    parser = argparse.ArgumentParser(prog="analyse", description=__doc__)
    parser.add_argument("--version", action="version", version=f"analyse 1, pandas {pd.__version__}")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--method", default="stats", choices=METHODS)
    parser.add_argument("--format", default="csv", choices=FORMATS)
    parser.add_argument("input", help="- is standard input")
    parser.add_argument("output")
    options = parser.parse_args()
    if options.input == "-":
        table = pd.read_csv(sys.stdin)
    else:
        table = pd.read_csv(options.input)
    numbers = table.select_dtypes("number")
    if options.method == "stats":
        result = numbers.describe()
    elif options.method == "corr":
        result = numbers.corr()
    elif options.method == "pivot":
        result = table.groupby("group").mean(numeric_only=True)
    elif options.method == "fit":
        result = lines(numbers)
    else:
        result = spectra(numbers, options.jobs, options.threads)
    if options.format == "csv":
        result.to_csv(options.output)
    elif options.format == "json":
        result.to_json(options.output)
    elif options.format == "pickle":
        result.to_pickle(options.output)
    else:
        np.savez_compressed(options.output, values=result.to_numpy())


if __name__ == "__main__":
    main()

"""Filtered windows by scipy, for `scipy.rs`. The figures in `filters.txt` were written by scipy 1.17 with

    python runtime/tests/scipy/filters.py > runtime/tests/scipy/filters.txt

A line has the amplitude of the window, its instants, the factor, the sections in units of 2^-30, a colon, and the filtered
counts that are kept. scipy filters with the factors as it designs them, in f64, from the state that the first instant would
leave if it had lasted for ever.
"""

import numpy as np
from scipy import signal


def window(amplitude, instants):
    state, counts = 1, []
    for t in range(instants):
        state = (state * 1_103_515_245 + 12_345) % (1 << 31)
        counts.append(1000 + abs(t % 23 - 11) * amplitude // 11 + (state >> 8) % amplitude // 2)
    return np.array(counts)


def rounded(section):
    """A section in units of 2^-30, with the gain for a constant kept exactly: 0, or 1."""
    b0, b1, b2, _, a1, a2 = section
    one = 1 << 30
    b0, b2, a1, a2 = (int(round(one * value)) for value in (b0, b2, -a1, -a2))
    poles = one - a1 - a2
    return [b0, (poles if b1 > 0 else 0) - b0 - b2, b2, a1, a2]


def unit_gain(sections):
    """Each section of a low pass lets constants pass unchanged."""
    sections = sections.copy()
    sections[:, :3] *= (sections[:, 3:].sum(axis=1) / sections[:, :3].sum(axis=1))[:, None]
    return sections


def high_pass(order, cutoff):
    """Each section has a gain of 1 at half the rate."""
    sections = signal.butter(order, cutoff, "highpass", output="sos")
    signs = np.array([1, -1, 1])
    gains = (sections[:, 3:] @ signs) / (sections[:, :3] @ signs)
    sections[:, :3] *= gains[:, None]
    return sections


def main():
    decimators = [(unit_gain(signal.cheby1(8, 0.05, 0.8 / factor, output="sos")), factor) for factor in (2, 4, 10)]
    low = unit_gain(signal.butter(4, 0.3, output="sos"))
    high = high_pass(4, 0.02)
    for sections, factor in decimators + [(low, 1), (high, 1), (np.concatenate([high, decimators[1][0]]), 4)]:
        for amplitude in (20, 3000, 15_000):
            counts = window(amplitude, 200)
            state = signal.sosfilt_zi(sections) * counts[0]
            filtered, _ = signal.sosfilt(sections, counts, zi=state)
            integers = [value for section in sections for value in rounded(section)]
            kept = [f"{value:.4f}" for value in filtered[factor - 1 :: factor]]
            print(amplitude, len(counts), factor, *integers, ":", *kept)


main()

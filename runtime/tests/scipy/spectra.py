"""Features of some windows as numpy and scipy compute them, for runtime/tests/scipy.rs.

    python runtime/tests/scipy/spectra.py > runtime/tests/scipy/spectra.txt

Each line: amplitude, instants, length of the transform, instants of a frame, hop, taper, pooling, then the mean, the base-2
logarithms of standard deviation and crest factor, the skewness, the base-2 logarithm of the kurtosis, and those of the
powers of bands in square counts.
"""

import numpy as np
from scipy import signal, stats

EDGES = [0, 1, 2, 4, 7, 9]
CASES = [  # amplitude, instants, transform, frame, hop, taper, pooling
    (2, 128, 16, 16, 8, "hann", "mean"),
    (3, 16, 16, 16, 16, "hann", "max"),
    (50, 128, 128, 128, 128, "hann", "mean"),
    (900, 50, 64, 50, 50, "hann", "mean"),
    (900, 300, 64, 64, 32, "boxcar", "mean"),
    (9000, 300, 256, 100, 70, "hann", "max"),
    (20000, 1024, 1024, 1024, 1, "hann", "mean"),
    (20000, 2000, 1024, 1000, 500, "boxcar", "max"),
]


def window(amplitude, instants):
    """A level, a triangle of 23 instants and noise of half its height, in integers."""
    state, counts = 1, []
    for t in range(instants):
        state = (state * 1103515245 + 12345) % 2**31
        triangle = abs(t % 23 - 11) * amplitude // 11
        counts.append(1000 + triangle + (state >> 8) % amplitude // 2)
    return np.array(counts, float)


for amplitude, instants, fft, frame, hop, taper, pooling in CASES:
    x = window(amplitude, instants)
    centred = x - x.mean()
    shape = [np.log2(np.abs(centred).max() / x.std()), stats.skew(x), np.log2(stats.kurtosis(x, fisher=False))]
    _, _, density = signal.spectrogram(
        centred, window=signal.get_window(taper, frame), nperseg=frame, noverlap=frame - hop, nfft=fft, detrend=False
    )
    bands = [density[a:b].sum(0) / fft for a, b in zip(EDGES, EDGES[1:])]
    bands = [band.mean() if pooling == "mean" else band.max() for band in bands]
    numbers = [x.mean(), np.log2(x.std()), *shape, *np.log2(bands)]
    print(amplitude, instants, fft, frame, hop, taper, pooling, *(f"{number:.7f}" for number in numbers))

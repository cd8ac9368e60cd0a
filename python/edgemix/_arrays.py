"""Samples as people give them, and what the trainer takes: an array of numbers, read where it is."""

import warnings

import numpy as np

# Greater groups are no numbers of groups, in an NPZ file either.
_MOST_GROUPS = 1 << 24


def samples(X):
    """The samples as an array of numbers. What is no such array is refused."""
    if hasattr(X, "toarray"):
        raise TypeError("Sparse data was passed, but dense data is required: convert it with X.toarray()")
    X = np.asarray(X)
    if X.dtype.kind == "c":
        raise ValueError("Complex data not supported: give real and imaginary parts as features of their own")
    if X.dtype.kind == "O":
        X = X.astype(np.float64)
    if X.dtype.kind not in "biuf":
        raise ValueError(f"samples are numbers, not {X.dtype}: convert them, or leave them out")
    if X.dtype.kind == "f" and X.dtype.itemsize > 8:
        X = X.astype(np.float64)
    if X.ndim < 2:
        raise ValueError(
            f"Expected samples by features, got {X.ndim}D array instead. Reshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a single "
            "sample."
        )
    for n, what in [(n_features(X), "feature"), (len(X), "sample")]:
        if n == 0:
            raise ValueError(f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required.")
    return X


def n_features(X):
    """Number of features of a sample, whatever its shape."""
    return int(np.prod(X.shape[1:]))


def taken_apart(X):
    """Bytes, type, shape and order of an array. Only an array whose elements do not follow each other is copied."""
    is_fortran = X.flags.f_contiguous and not X.flags.c_contiguous
    row_major = X.T if is_fortran else np.ascontiguousarray(X)
    return row_major.reshape(-1).view(np.uint8), X.dtype.str, list(X.shape), is_fortran


def names(X):
    """The names of a table's columns, if they are texts; `None` if there are none."""
    columns = getattr(X, "columns", None)
    if columns is None:
        return None
    columns = list(columns)
    are_texts = [isinstance(name, str) for name in columns]
    if any(are_texts) and not all(are_texts):
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{sorted({type(name).__name__ for name in columns})} as feature name / column name types: give texts only"
        )
    return np.array(columns, dtype=object) if columns and all(are_texts) else None


def check_names(fitted, found, estimator):
    """Compares the names of columns with those of the fit."""
    if fitted is None and found is None:
        return
    if fitted is None:
        warnings.warn(f"X has feature names, but {estimator} was fitted without feature names", stacklevel=4)
    elif found is None:
        warnings.warn(
            f"X does not have valid feature names, but {estimator} was fitted with feature names", stacklevel=4
        )
    elif len(fitted) != len(found) or any(fitted != found):
        unseen, missing = sorted(set(found) - set(fitted)), sorted(set(fitted) - set(found))
        lines = ["The feature names should match those that were passed during fit."]
        for title, listed in [("unseen at fit time", unseen), ("seen at fit time, yet now missing", missing)]:
            if listed:
                lines.append(f"Feature names {title}:")
                lines.extend(f"- {name}" for name in listed[:5])
        if not unseen and not missing:
            lines.append("Feature names must be in the same order as they were in fit.")
        raise ValueError("\n".join(lines) + "\n")


def group_numbers(groups):
    """A number for each sample's group. Whole numbers are their own, other groups are numbered as they appear."""
    groups = np.asarray(groups)
    if groups.ndim != 1:
        raise ValueError(f"groups are one value for each sample, not an array of shape {groups.shape}")
    if groups.dtype.kind in "biu" and (groups.size == 0 or (groups.min() >= 0 and groups.max() < _MOST_GROUPS)):
        return groups.astype(np.uint32).tolist()
    if groups.dtype.kind == "O":
        groups = groups.astype(str)
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    numbers = np.empty(len(first), dtype=np.uint32)
    numbers[np.argsort(first)] = np.arange(len(first), dtype=np.uint32)
    return numbers[inverse].tolist()

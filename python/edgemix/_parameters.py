"""Parameters of the estimator as the trainer spells them."""

import json
import operator
import os

from ._edgemix import InputError


def spelt(params):
    """The parameters for the extension module."""
    texts = ["method", "encoder", "variant", "preset", "front_end", "device", "name", "existing"]
    found = {name: _text(name, params[name]) for name in texts}
    found["encoder"] = _encoder(params["encoder"])
    found["n_clusters"] = _clusters(params["n_clusters"])
    found["level"] = _level(params["level"])
    found["settings"] = [f"{key}={_toml(value)}" for key, value in (params["settings"] or {}).items()]
    for name in ["seed", "pretrain_epochs", "cluster_epochs"]:
        found[name] = _whole(name, params[name])
    for name in ["rate", "learning_rate", "holdout"]:
        found[name] = None if params[name] is None else _real(name, params[name])
    found["allow_disagreement"] = bool(params["allow_disagreement"])
    found["run_dir"] = None if params["run_dir"] is None else os.fspath(params["run_dir"])
    return found


def _wrong(name, value, expected):
    return InputError(f"{name}={value!r}: expected {expected}")


def _text(name, value):
    if name == "encoder" or value is None or isinstance(value, str):
        return value
    raise _wrong(name, value, "a text")


def _whole(name, value):
    if value is None:
        return None
    try:
        number = operator.index(value)
    except TypeError:
        number = -1
    if isinstance(value, bool) or not 0 <= number < 1 << 63:
        raise _wrong(name, value, "a whole number of at least 0")
    return number


def _real(name, value):
    try:
        return float(value)
    except (TypeError, ValueError):
        raise _wrong(name, value, "a number") from None


def _clusters(value):
    if value is None or value == "auto":
        return value
    expected = 'a number such as 10, a pair such as (8, 12), "auto" or None'
    try:
        if isinstance(value, (tuple, list)):
            least, most = value
            return f"{_whole('n_clusters', least)}..{_whole('n_clusters', most)}"
        return str(_whole("n_clusters", value))
    except (InputError, ValueError):
        raise _wrong("n_clusters", value, expected) from None


def _encoder(value):
    if isinstance(value, (tuple, list)):
        return "-".join(str(_whole("encoder", width)) for width in value)
    if value is None or isinstance(value, str):
        return value
    raise _wrong("encoder", value, 'layers such as "256-128-10" or [256, 128, 10]')


def _level(value):
    return value if value is None or isinstance(value, str) else str(_whole("level", value))


def _toml(value):
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value)
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(_toml(one) for one in value)}]"
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(one)}' for key, one in value.items())} }}"
    try:
        return str(operator.index(value))
    except TypeError:
        return repr(_real("settings", value))

"""What the documentation says is so."""

import doctest
import inspect
import pathlib
import re

import edgemix
from edgemix import Edgemix, _edgemix, _estimator

ROOT = pathlib.Path(__file__).parents[2]


def test_examples_of_the_docstrings():
    found = doctest.testmod(_estimator)
    assert found.attempted > 5 and found.failed == 0


def test_every_parameter_and_answer_is_documented():
    page = (ROOT / "docs" / "python.md").read_text()
    parameters = [name for name in inspect.signature(Edgemix.__init__).parameters if name != "self"]
    described = Edgemix.__doc__
    for name in parameters:
        assert re.search(rf"^    ([a-z_]+, )*{name}(, [a-z_]+)* : ", described, re.MULTILINE), name
        assert f"`{name}`" in page, name
    answers = [name for name, value in vars(Edgemix).items() if callable(value) and not name.startswith("_")]
    for name in [*answers, "load"]:
        assert f"{name}(" in page and getattr(Edgemix, name).__doc__, name


def test_the_stubs_name_what_the_module_has():
    stubs = (pathlib.Path(edgemix.__file__).parent / "_edgemix.pyi").read_text()
    for name, value in vars(_edgemix).items():
        if name.startswith("__") and name != "__version__":
            continue
        assert re.search(rf"^(class |def )?{name}\b", stubs, re.MULTILINE), name
        members = [member for member in vars(value) if not member.startswith("_")] if isinstance(value, type) else []
        for member in members:
            assert f"def {member}(" in stubs, f"{name}.{member}"

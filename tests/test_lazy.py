"""Which backend Keras is given where nobody has chosen one."""

import os

import pytest

from kerazoo import lazy
from kerazoo.errors import UnavailableError


@pytest.fixture
def there(monkeypatch, tmp_path):
    """Return a function: only these packages are installed; Keras's own file is that in `tmp_path`."""
    monkeypatch.setenv("KERAS_BACKEND", "")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return lambda *names: monkeypatch.setattr(lazy, "installed", lambda name: name in names)


@pytest.mark.parametrize(
    ("packages", "file", "wanted"),
    [
        (("tensorflow", "jax"), None, ""),
        (("tensorflow",), None, ""),
        (("jax",), None, "jax"),
        (("jax",), '{"backend": "tensorflow"}', "jax"),  # which Keras writes at its first start
        (("jax", "torch"), '{"backend": "torch"}', ""),
        (("jax",), "no JSON", "jax"),
        (("jax",), "[]", "jax"),
        ((), None, ""),
    ],
)
def test_jax_is_taken_where_tensorflow_is_not(there, tmp_path, packages, file, wanted):
    there(*packages)
    if file is not None:
        (tmp_path / "keras.json").write_text(file)
    lazy.choose_backend()
    assert os.environ["KERAS_BACKEND"] == wanted


def test_a_backend_that_was_named_stays(there, monkeypatch):
    there("jax")
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    lazy.choose_backend()
    assert os.environ["KERAS_BACKEND"] == "torch"


@pytest.mark.parametrize(
    ("module", "lacking", "reason"),
    [
        ("tensorflow", "tensorflow", "this needs tensorflow, which is not installed"),
        ("keras", "jax", "Keras is to use jax, which is not installed"),
    ],
)
def test_a_missing_backend_is_one_line(monkeypatch, module, lacking, reason):
    def fail(name):
        raise ModuleNotFoundError(f"No module named '{lacking}'", name=lacking)

    monkeypatch.setattr(lazy.importlib, "import_module", fail)
    with pytest.raises(UnavailableError, match=reason) as caught:
        _ = lazy.LazyModule(module).anything
    assert "\n" not in str(caught.value)


def test_another_missing_module_is_no_matter_of_backends(monkeypatch):
    def fail(name):
        raise ModuleNotFoundError("No module named 'h5py'", name="h5py")

    monkeypatch.setattr(lazy.importlib, "import_module", fail)
    with pytest.raises(ModuleNotFoundError):
        _ = lazy.LazyModule("keras").anything

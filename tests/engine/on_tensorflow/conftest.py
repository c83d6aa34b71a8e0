"""What is here is about the loops on TensorFlow."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = ["test_*.py"]


def pytest_collection_modifyitems(items):
    for item in items:
        if "engine/on_tensorflow" in str(item.path):
            item.add_marker(pytest.mark.tensorflow)


@pytest.fixture(params=["kernels", "graph"])
def fast_path(request, monkeypatch):
    """A list that grows with each use of the faster LSTM: a test that compared Keras with Keras would show it."""
    from kerazoo import kernels as library
    from kerazoo.engine.tensorflow import kernels, lstm

    if request.param == "graph":
        monkeypatch.setenv("KERAZOO_KERNELS", "0")
    elif reason := library.why_not():
        pytest.skip(reason)
    calls = []
    for module, name in (lstm, "recur"), (kernels, "lstm"):
        original = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *a, _do=original, **k: calls.append(1) or _do(*a, **k))
    return calls

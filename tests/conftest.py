"""What all tests share: an empty cache of their own, small data for every model, and the rule for real data."""

import dataclasses
import gc
import importlib.util
import os
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# Of ONNX Runtime and BLAS: a second thread waits, busily, for the core that the other process of the tests has.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import kerazoo

ON_TENSORFLOW = (
    importlib.util.find_spec("tensorflow") is not None and os.environ.get("KERAS_BACKEND", "tensorflow") == "tensorflow"
)
# The files that take longest begin first, so that at the end neither process is left with a long one. (xdist would
# begin with those of the most tests, and leave those of a few long ones to the end.)
LONGEST = (
    "engine/test_fit.py",
    "studies/test_programs.py",
    "models/test_models.py",
    "training/test_train.py",
    "engine/test_resume.py",
    "engine/on_tensorflow/test_distributed.py",
    "test_documents.py",
    "exporting/test_formats.py",
    "training/test_run_directory.py",
    "engine/on_tensorflow/test_lstm.py",
    "engine/on_tensorflow/test_fast_lstm.py",
    "engine/on_tensorflow/test_loops.py",
    "benchmarks/test_common.py",
    "kernels/test_optimizer_kernels.py",
    "test_notebooks.py",
    "inference/test_generating.py",
    "exporting/test_pages_answer.py",
    "training/test_transfer.py",
)


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    lacking = {}
    if not os.environ.get("TFDS_DATA_DIR"):
        lacking["real_data"] = "TFDS_DATA_DIR names no directory with the real data"
    if not ON_TENSORFLOW:
        lacking["tensorflow"] = "TensorFlow is not there, or not the backend"
    for item in items:
        for marker, reason in lacking.items():
            if marker in item.keywords:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_collection_finish():
    """Keep the garbage collector from walking the libraries, half a million objects, again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """One cache for the whole run, of all its processes, so that each data set is decoded once."""
    shared = tmp_path_factory.getbasetemp()
    directory = (shared.parent if "PYTEST_XDIST_WORKER" in os.environ else shared) / "cache"
    directory.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERAZOO_CACHE_DIR", str(directory))
        yield directory


@pytest.fixture(scope="session")
def small_data(cache):
    """Return a function: the first examples of a model's sample data, as a Dataset."""

    def load(name, train=64, test=32, **options):
        data = kerazoo.load_data(name, source="sample", **options)
        return dataclasses.replace(
            data,
            x_train=data.x_train[:train],
            y_train=data.y_train[:train],
            x_test=data.x_test[:test],
            y_test=data.y_test[:test],
        )

    return load


@pytest.fixture
def uncompiled(monkeypatch):
    """Keras's own steps, one by one: a few of them take less time than to trace and compile the engine's loops."""
    if not ON_TENSORFLOW:
        yield
        return
    import tensorflow as tf

    monkeypatch.setenv("KERAZOO_PLAIN", "1")
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture(scope="session")
def trained(small_data):
    """Return a function: a model of the zoo after one epoch on its small data, trained once for all tests."""
    results = {}

    def train(name):
        if name not in results:
            results[name] = kerazoo.train(name, data=small_data(name), epochs=1, verbose=False)
        return results[name]

    return train

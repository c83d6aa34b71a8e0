"""A pytest plugin that puts `kerazoo.fit` in the place of `Model.fit`, for those of Keras's own tests that fit."""

import importlib.util
import inspect
import threading

import keras
import pytest

import kerazoo
from tests.keras_own.differences import DIFFERENCES

# Tests that plain Keras fails too where the package is not installed.
_NEEDS = {"grain": "grain", "torch_dataloader": "torch", "orbax": "orbax", "tensorboard": "tensorboard"}
_inside = threading.local()


def pytest_configure(config):
    """Put the engine in its place."""
    original = keras.Model.fit
    signature = inspect.signature(original)

    def fit(self, *args, **options):
        if getattr(_inside, "fit", False):  # the engine takes Keras's own loop
            return original(self, *args, **options)
        given = dict(signature.bind(self, *args, **options).arguments)
        del given["self"]
        given.setdefault("batch_size", None)  # the default of `Model.fit`
        _inside.fit = True
        try:
            return kerazoo.fit(self, given.pop("x", None), **given)
        finally:
            _inside.fit = False

    keras.Model.fit = fit


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same weights each time: with some, a net of Keras's tests diverges, and then `kerazoo.fit` stops."""
    keras.utils.set_random_seed(1)


def pytest_collection_modifyitems(config, items):
    """Leave out what fits no model, skip what needs a package that is absent, and expect the known differences."""
    alone = [item for item in items if "fit" not in inspect.getsource(item.function)]
    config.hook.pytest_deselected(items=alone)
    items[:] = [item for item in items if item not in alone]
    for item in items:
        for word, package in _NEEDS.items():
            if word in item.nodeid.lower() and importlib.util.find_spec(package) is None:
                item.add_marker(pytest.mark.skip(reason=f"{package} is not installed"))
        reason = DIFFERENCES.get(keras.backend.backend(), {}).get(item.name)
        if reason:
            item.add_marker(pytest.mark.xfail(reason=reason, strict=True))

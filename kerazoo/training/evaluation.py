"""Measuring a model in Keras on a test split."""

from __future__ import annotations

from typing import Any

from kerazoo import engine
from kerazoo.data import Dataset
from kerazoo.factory import exact_products
from kerazoo.lazy import keras


def evaluate_on(model: keras.Model, data: Dataset, batch_size: int = 512) -> dict[str, float]:
    """Return the loss and metrics on the test split of `data`, or on all of it where there is no split."""
    x, y = measured_part(data)
    with exact_products():
        logs = engine.evaluate(model, x, y, batch_size=batch_size)
    return {key: float(value) for key, value in logs.items()}


def measured_part(data: Dataset) -> tuple[Any, Any]:
    """Return the inputs and targets of the test split, or of all where there is no split."""
    return (data.x_train, data.y_train) if data.x_test is None else (data.x_test, data.y_test)

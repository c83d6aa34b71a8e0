"""Tests of Keras's own that `kerazoo.fit` is known to fail and `Model.fit` passes, each with the reason."""

DIFFERENCES: dict[str, dict[str, str]] = {"tensorflow": {}, "jax": {}}

"""Tests of Keras's own that `kerazoo.fit` is known to fail and `Model.fit` passes, each with the reason.

There is none at present. One difference shows in no test, since the plugin seeds them: a training that diverges stops.
A test that is listed here and passes fails the run, so the list cannot grow old.
"""

DIFFERENCES: dict[str, dict[str, str]] = {"tensorflow": {}, "jax": {}}

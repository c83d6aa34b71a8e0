"""Keras, its backend and other libraries without the messages that they print while they start and work."""

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator

from kerazoo.errors import InputError, UnavailableError
from kerazoo.lazy import BACKENDS, choose_backend, installed

_CHATTER = re.compile(
    rb"^(WARNING: All log messages before|[IWE]\d{4} \d\d:\d\d:|To enable the following instr|INFO: Created TensorFlow)"
)


def start_keras() -> None:
    """Import Keras and its backend and look for devices; what they print while they start is dropped.

    What matters of it comes as an exception. The messages come from C++ and are written to the file descriptor, before
    any setting for them is read.

    Raises:
        InputError: KERAS_BACKEND names a backend that kerazoo does not work with.
        UnavailableError: the backend is not installed.
    """
    choose_backend()
    named = os.environ.get("KERAS_BACKEND")
    if named and named not in BACKENDS:
        raise InputError(f"KERAS_BACKEND={named!r}: wanted one of {', '.join(BACKENDS)}")
    if named and not installed(named):
        extra = "'kerazoo[jax]'" if named == "jax" else named
        raise UnavailableError(f"KERAS_BACKEND={named} needs a package that is not installed: pip install {extra}")
    if not any(map(installed, BACKENDS)):
        raise UnavailableError(f"Keras needs {' or '.join(BACKENDS)}, and none is installed: pip install tensorflow")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors that matter come as exceptions
    with without_chatter():
        _start()


@contextlib.contextmanager
def without_chatter(all: bool = False) -> Iterator[None]:  # noqa: A002 (the word for it)
    """Inside the block drop what C++ writes to standard error for a log, or `all` of it, where errors are raised."""
    import tempfile

    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not (all or _CHATTER.match(line)):
                    os.write(2, line)


@contextlib.contextmanager
def without_log(name: str | None = None) -> Iterator[None]:
    """Inside the block drop what a library logs in Python by the logger `name`, by default the root's."""
    logger, handler = logging.getLogger(name), logging.NullHandler()
    before = logger.level
    logger.addHandler(handler)  # where the root has none, `logging.warning` adds one that stays
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)
        logger.removeHandler(handler)


def _start() -> None:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.list_physical_devices()
    elif keras.backend.backend() == "jax":
        import jax

        jax.devices()

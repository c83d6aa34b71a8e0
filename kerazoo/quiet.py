"""TensorFlow without the messages that it prints while it starts."""

import importlib.util
import os
import re
import sys
import tempfile

from kerazoo.errors import InputError, UnavailableError

BACKENDS = ("tensorflow", "jax")
_CHATTER = re.compile(rb"^(WARNING: All log messages before|[IWE]\d{4} \d\d:\d\d:|To enable the following instr)")


def start_tensorflow() -> None:
    """Import TensorFlow and Keras and look for devices; what they print while they start is dropped.

    What matters of it comes as an exception. The messages come from C++ and are written to the file descriptor, before
    any setting for them is read.
    """
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    if backend not in BACKENDS:
        raise InputError(f"KERAS_BACKEND={backend!r}: wanted one of {', '.join(BACKENDS)}")
    if backend == "jax" and importlib.util.find_spec("jax") is None:
        raise UnavailableError("KERAS_BACKEND=jax needs a package that is not installed: pip install 'kerazoo[jax]'")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # errors that matter come as exceptions
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            import keras  # noqa: F401
            import tensorflow

            tensorflow.config.list_physical_devices()
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
            caught.seek(0)
            for line in caught:
                if not _CHATTER.match(line):
                    os.write(2, line)

"""TensorFlow without the messages that it prints while it starts."""

import os
import re
import sys
import tempfile

_CHATTER = re.compile(rb"^(WARNING: All log messages before|[IWE]\d{4} \d\d:\d\d:|To enable the following instr)")


def start_tensorflow() -> None:
    """Import TensorFlow and Keras and look for devices; what they print that is no error of theirs is dropped.

    The messages come from C++ and are written to the file descriptor, before any setting for them is read.
    """
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

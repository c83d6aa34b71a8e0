"""How many threads the kernels take."""

import os
import subprocess
import sys

import pytest

from kerazoo import kernels


@pytest.mark.tensorflow
def test_as_many_as_the_environment_gives_tensorflow_s_operations():
    if reason := kernels.why_not():
        pytest.skip(reason)
    program = "from kerazoo import kernels; print(kernels.library().c.kz_threads())"
    environment = os.environ | {"TF_NUM_INTRAOP_THREADS": "5"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 5

"""The kernels without Python: odd shapes, two threads at once, a forked child; `.ci/run` has sanitizers watch."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif((sys.platform, platform.machine()) != ("linux", "x86_64"), reason="they are for Linux on x86-64")
@pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")
def test_the_same_numbers_in_threads_and_in_a_forked_child():
    script = Path(__file__).with_name("sanitize.sh")
    environment = os.environ | {"KERNEL_SANITIZERS": ""}
    done = subprocess.run([script], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout + done.stderr

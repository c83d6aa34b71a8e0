"""The C library's own tests; skipped where it cannot be used, for the reason that it gives."""

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = ["test_*.py"]


@pytest.fixture(params=["AVX2", "AVX-512"])
def operations(request):
    """TensorFlow's wrappers of the kernels, for each instruction set that the processor has."""
    from kerazoo import kernels

    if (library := kernels.library()) is None:
        pytest.skip(kernels.why_not())
    if not library.c.kz_use(request.param.encode()):
        pytest.skip(f"the processor has no {request.param}")
    yield library.operations
    library.c.kz_use(library.instructions.encode())

"""PyTorch for a contender: its set-up, a matrix product, its memory."""

import importlib.metadata
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from peers import Unavailable

DTYPES = {"mixed_bfloat16": torch.bfloat16, "mixed_float16": torch.float16}
_state: dict[str, Any] = {"device": torch.device("cpu")}


def set_up(device: dict[str, Any], threads: int) -> None:
    """Set the threads, and check that the device is there.

    Raises:
        Unavailable: PyTorch does not see the GPU.
    """
    torch.set_num_threads(threads)
    if device["kind"] == "gpu":
        if not torch.cuda.is_available():
            raise Unavailable(f"not measured: PyTorch {torch.__version__} sees no GPU here")
        _state["device"] = torch.device("cuda:0")  # the only one that the process sees


def device() -> torch.device:
    """Return where tensors lie."""
    return _state["device"]


def set_precision(precision: str) -> None:
    """Use full float32 in matrix products, unless the precision is tf32."""
    torch.set_float32_matmul_precision("high" if precision == "tf32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "tf32"


def about() -> dict[str, Any]:
    """Return versions and threads."""
    version = torch.backends.cudnn.version() if device().type == "cuda" else None
    return {
        "versions": {"torch": torch.__version__, "numpy": importlib.metadata.version("numpy")},
        "cuda": torch.version.cuda,
        "cudnn": version and str(version),
        "threads": torch.get_num_threads(),
    }


def tf32() -> bool | str:
    """Tell whether products of float32 matrices may be rounded to TF32."""
    on = torch.get_float32_matmul_precision() != "highest"
    return on if device().type == "cuda" else "not measured: no GPU"


def product(precision: str, size: int, count: int) -> Any:
    """Return a call that forms `count` products of (size, size) matrices, one after the other, and waits."""
    matrix = torch.randn(size, size, generator=torch.Generator().manual_seed(0))
    matrix = matrix.to(device(), DTYPES.get(precision, torch.float32))

    @torch.inference_mode()
    def chain() -> Any:
        result = matrix
        for _ in range(count):
            result = torch.mm(result, matrix) / size
        return result.float().sum().item()

    return chain


def products(precision: str, shapes: list[tuple[int, int, int]]) -> Callable[[], Any]:
    """Return a call that forms a product of matrices (m, k) and (k, n) for each of `shapes`, and waits for them."""
    how = {"device": device(), "dtype": DTYPES.get(precision, torch.float32)}
    pairs = [(torch.ones(m, k, **how), torch.ones(k, n, **how)) for m, k, n in shapes]

    def every() -> None:
        with torch.inference_mode():
            for left, right in pairs:
                torch.mm(left, right)
        if device().type == "cuda":
            torch.cuda.synchronize()

    return every


def cudnn(side: Any) -> dict[str, list[str]] | str:
    """Return, for each LSTM, why cuDNN does not serve it; an empty list says that it does."""
    if device().type != "cuda":
        return "not measured: no GPU"
    why = [] if torch.backends.cudnn.enabled and torch.backends.cudnn.is_available() else ["cuDNN is not there"]
    return {name: why for name, one in side.model.named_modules() if isinstance(one, nn.LSTM)}


def forget_peak() -> None:
    """Reset the peak of the GPU's memory."""
    if device().type == "cuda":
        torch.cuda.reset_peak_memory_stats()


def gpu_peak_mib() -> float | str:
    """Return the most memory of the GPU in use."""
    return torch.cuda.max_memory_allocated() / 2**20 if device().type == "cuda" else "not measured: no GPU"

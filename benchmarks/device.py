"""The device that all contenders use: its choice, its peak FLOP/s, and its description for the record."""

import functools
import os
import platform
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kerazoo.errors import InputError
from kerazoo.training.environment import cpu_model

NO_GPU = "not measured: no GPU"
PRECISIONS = ("float32", "tf32", "mixed_bfloat16", "mixed_float16")
"""float32 is full float32 on every device; tf32 lets a GPU round the factors of matrix products to 10 bits."""

# Dense peaks in TFLOP/s by the makers' data sheets, without sparsity: float32, tf32, 16 bits. The first fragment that
# the device's name contains decides, so longer names stand before the shorter ones that they contain.
_PEAKS = {
    "H200": (67.0, 494.7, 989.4),
    "H100 PCIe": (51.0, 378.0, 756.0),
    "H100": (67.0, 494.7, 989.4),
    "A100": (19.5, 156.0, 312.0),
    "L40S": (91.6, 183.0, 362.0),
    "L4": (30.3, 60.0, 121.0),
    "A10": (31.2, 62.5, 125.0),
    "T4": (8.1, None, 65.0),
    "V100": (15.7, None, 125.0),
}


@dataclass(frozen=True)
class Device:
    """The device of all contenders: the CPU, or one GPU by its index in the driver's list."""

    kind: str
    name: str
    index: int = 0


def choose_device(wanted: str, gpus: Sequence[str], cpu: str) -> Device:
    """Return the device that `wanted` ("auto", "cpu", "gpu" or "gpu:N") names, given the names of the GPUs and the CPU.

    Raises:
        InputError: there is no such device.
    """
    kind, _, number = wanted.partition(":")
    if kind not in ("auto", "cpu", "gpu") or (number and (kind != "gpu" or not number.isdecimal())):
        raise InputError(f"--device {wanted}: wanted auto, cpu, gpu or gpu:N")
    if kind == "cpu" or (kind == "auto" and not gpus):
        return Device("cpu", cpu)
    index = int(number or 0)
    if not gpus:
        raise InputError(f"--device {wanted}: nvidia-smi names no GPU here; use --device cpu")
    if index >= len(gpus):
        raise InputError(f"--device {wanted}: nvidia-smi names {len(gpus)} GPU(s), numbered from 0")
    return Device("gpu", gpus[index], index)


def this_device(wanted: str, precision: str) -> Device:
    """Return the device of this machine that `wanted` names, if it has the `precision`.

    Raises:
        InputError: there is no such device, or it has not this precision.
    """
    chosen = choose_device(wanted, [name for name, _ in gpus()], cpu_model())
    if precision == "tf32" and chosen.kind != "gpu":
        raise InputError("--precision tf32 is a mode of GPUs; use float32 on a CPU")
    return chosen


@functools.cache
def gpus() -> list[tuple[str, str]]:
    """Return name and driver of each NVIDIA GPU, as reported by `nvidia-smi`."""
    if not shutil.which("nvidia-smi"):
        return []
    command = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        told = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return []
    lines = [line.rpartition(", ") for line in told.stdout.splitlines() if ", " in line]
    return [(name, driver) for name, _, driver in lines] if told.returncode == 0 else []


def dense_peak(device: Device, precision: str) -> float | str:
    """Return the manufacturer's FLOP/s for dense matrix products, or the reason why there is no such number."""
    if device.kind != "gpu":
        return NO_GPU
    column = {"float32": 0, "tf32": 1}.get(precision, 2)
    peak = next((peaks[column] for fragment, peaks in _PEAKS.items() if fragment in device.name), None)
    return f"not known for {device.name}" if peak is None else peak * 1e12


def utilisation(achieved: float, peak: float | str) -> float | str:
    """Return the share of `peak` that was `achieved`, or the reason why there is no peak."""
    return peak if isinstance(peak, str) else achieved / peak


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def record(device: Device, precision: str, threads: int) -> dict[str, Any]:
    """Return the part of the environment that all contenders share; each reports its own versions beside it."""
    return {
        "device": {"kind": device.kind, "name": device.name},
        "driver": gpus()[device.index][1] if device.kind == "gpu" else NO_GPU,
        "precision": precision,
        "threads": threads,
        "processes": "one a contender",
        "os": f"{platform.system()} {platform.release()}",
        "cpu": cpu_model(),
        "cores": cores(),
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }

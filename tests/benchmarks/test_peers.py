"""The peers, in processes of their own where they need a library that does not go with TensorFlow in one."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "benchmarks"
ADAM = """
import torch
from peers import torch_optimizers
torch.manual_seed(0)
models = torch.nn.Linear(5, 3), torch.nn.Linear(5, 3)
models[1].load_state_dict(models[0].state_dict())
x = torch.randn(7, 5)
for model, captured in zip(models, (False, True)):
    optimizer, _ = torch_optimizers.build("adam", 1e-2, model, captured)
    for _ in range(30):
        optimizer.zero_grad()
        (model(x) ** 4).mean().backward()
        optimizer.step()
torch.testing.assert_close(models[0].weight, models[1].weight, rtol=1e-5, atol=1e-6)
"""


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="PyTorch is not installed")
def test_the_adam_of_cuda_graphs_is_that_of_the_eager_loop():
    done = subprocess.run([sys.executable, "-c", ADAM], cwd=SCRIPTS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_workers_environment_names_backend_device_and_threads(monkeypatch):
    import peers

    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    gpu = peers.environment("kerazoo-jax", {"kind": "gpu", "index": 3}, 4)
    assert (gpu["KERAS_BACKEND"], gpu["JAX_PLATFORMS"], gpu["CUDA_VISIBLE_DEVICES"]) == ("jax", "cuda", "3")
    assert gpu["OMP_NUM_THREADS"] == "4" and "OMP_WAIT_POLICY" not in gpu
    cpu = peers.environment("torch-eager", {"kind": "cpu", "index": 0}, 1)
    assert (cpu["JAX_PLATFORMS"], cpu["CUDA_VISIBLE_DEVICES"]) == ("cpu", "")
    assert peers.environment("maker", {"kind": "gpu", "index": 3}, 1)["CUDA_VISIBLE_DEVICES"] == ""


def test_a_work_comes_back_from_the_disk_as_it_was_written(tmp_path):
    import numpy as np
    from work import Work

    rest = {"optimizer": "adam", "learning_rate": 0.1, "data": "made up", "forward_flops": 7, "flops_how": "by hand"}
    options = {"units": (4, 4), "dropout": 0.2}
    work = Work(tmp_path, "mnist_mlp_dropout", options, 2, "float32", examples=3, order=(1, 0), **rest)
    work.write([np.zeros(2), np.ones(3)], np.arange(3), np.arange(3) * 10)
    read = Work.read(tmp_path)
    assert read == work
    assert [list(weight) for weight in read.own_weights] == [[1, 1, 1], [0, 0]]
    assert [list(part) for part in read.rows(2)] == [[0, 1, 2, 0], [0, 10, 20, 0]]
    assert read.still().options == {"units": (4, 4), "dropout": 0.0}


def test_without_a_gpu_nothing_is_measured_for_one(tmp_path):
    environment = {"PATH": "/usr/bin:/bin"}
    done = subprocess.run([SCRIPTS / "gpu.sh"], env=environment, capture_output=True, text=True, check=False)
    if done.stdout != "not measured: no GPU\n":
        pytest.skip("there is a GPU here")
    assert (done.returncode, done.stderr) == (0, "")

"""The benchmark scripts: arithmetic, turns, rows, and the logic of devices with stand-ins. No speed is asserted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GPUS = ["NVIDIA H100 80GB HBM3", "Some other card"]


def test_spread_has_median_least_and_greatest():
    import timing

    assert timing.spread([3.0, 1.0, 2.0]) == {"median": 2.0, "min": 1.0, "max": 3.0, "all": [3.0, 1.0, 2.0]}
    with pytest.raises(ValueError, match="at least one"):
        timing.spread([])


def test_ratios_are_formed_turn_by_turn():
    import timing

    # The ratio of the medians would be 3 / 2.
    assert timing.ratios([1.0, 2.0, 10.0], [3.0, 2.0, 30.0])["median"] == 3.0


def test_turns_rotate():
    import timing

    assert list(timing.turns("ABC", 4)) == [tuple("ABC"), tuple("BCA"), tuple("CAB"), tuple("ABC")]
    assert list(timing.turns("", 2)) == []


def test_rows_are_whole_lines_also_after_a_broken_one(tmp_path):
    import common

    path = tmp_path / "new" / "rows.jsonl"
    common.append_row(path, {"a": 1})
    with path.open("a") as file:
        file.write('{"killed": ')
    common.append_row(path, {"text": "two\nlines"})
    assert path.read_text().splitlines() == ['{"a": 1}', '{"killed": ', '{"text": "two\\nlines"}']
    assert common.read_rows(path) == [{"a": 1}, {"text": "two\nlines"}]


@pytest.mark.parametrize(
    ("wanted", "gpus", "kind", "index"),
    [("auto", [], "cpu", 0), ("cpu", GPUS, "cpu", 0), ("auto", GPUS, "gpu", 0), ("gpu:1", GPUS, "gpu", 1)],
)
def test_device_is_chosen(wanted, gpus, kind, index):
    from device import choose_device

    device = choose_device(wanted, gpus, "a CPU")
    assert (device.kind, device.index) == (kind, index)
    assert device.name == (gpus[index] if kind == "gpu" else "a CPU")


@pytest.mark.parametrize(
    ("wanted", "gpus"), [("gpu", []), ("gpu:2", GPUS), ("tpu", GPUS), ("cpu:1", []), ("gpu:x", GPUS)]
)
def test_device_that_is_not_there(wanted, gpus):
    from device import InputError, choose_device

    with pytest.raises(InputError, match=f"--device {wanted}"):
        choose_device(wanted, gpus, "a CPU")


def test_peak_and_utilisation_with_and_without_a_gpu():
    from device import Device, dense_peak, utilisation

    h100, other = (Device("gpu", name) for name in GPUS)
    assert utilisation(98.94e12, dense_peak(h100, "mixed_bfloat16")) == pytest.approx(0.1)
    assert dense_peak(h100, "float32") == 67e12
    assert utilisation(1.0, dense_peak(other, "float32")) == "not known for Some other card"
    cpu = Device("cpu", "a CPU")
    assert utilisation(1.0, dense_peak(cpu, "float32")) == "not measured: no GPU"


def test_flops_of_a_dense_and_a_recurrent_model():
    import flops

    import kerazoo

    assert flops.forward_flops(kerazoo.build("mnist_mlp"), 1) == 2 * (784 * 256 + 256 * 128 + 128 * 10)
    small = kerazoo.build("textgen_lstm", vocab_size=7, embedding_dim=3, units=5)
    assert flops.training_flops(small, 11) == 3 * (11 * 2 * 4 * 5 * (3 + 5) + 2 * 5 * 7)


def run_script(name, *arguments, **environment):
    return subprocess.run(
        [sys.executable, ROOT / "benchmarks" / name, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--models", "mnist_mpl"], "mnist_mlp"),
        (["--repeats", "0"], "whole number above 0"),
        (["--precision", "float8"], "invalid choice"),
        (["--fast"], "--fast"),
        (["--contenders", "theano"], "kerazoo-tensorflow"),
    ],
)
def test_wrong_arguments_exit_with_2_in_one_line(arguments, message):
    done = run_script("train.py", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_quick_run_without_torch(tmp_path):
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('No module named torch', name='torch')\n")
    out = tmp_path / "train.jsonl"
    arguments = ["--models", "toy_mlp", "--quick", "--device", "cpu", "--json", "--out", out]
    arguments += ["--contenders", "*-tensorflow", "torch-*"]
    done = run_script("train.py", *arguments, PYTHONPATH=f"{tmp_path}{os.pathsep}{ROOT}")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)["rows"]
    assert json.loads(out.read_text()) == row
    assert row["contenders"]["torch-eager"] == "not measured: PyTorch is not installed; pip install 'kerazoo[bench]'"
    assert row["contenders"]["torch-cudagraphs"] == "not measured: no GPU"
    assert row["contenders"]["kerazoo-tensorflow"]["loss_difference_to_keras"] < 1e-4
    assert row["contenders"]["kerazoo-tensorflow"]["cudnn_obstacles"] == "not measured: no GPU"
    assert row["best"] == {"kerazoo": "kerazoo-tensorflow", "keras": "keras-tensorflow"}
    assert set(row["software"]) == {"kerazoo-tensorflow", "keras-tensorflow"}
    assert row["ratios"]["keras-tensorflow"]["min"] > 0

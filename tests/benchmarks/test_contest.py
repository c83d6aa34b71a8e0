"""Contests between workers that only pretend: who drops out, whose turn it is, what a row has. No speed is asserted."""

import io
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

FAKE = Path(__file__).with_name("fake_worker.py")


def command(name, settings):
    return [sys.executable, str(FAKE), name, json.dumps(settings)]


@pytest.fixture
def session(monkeypatch):
    """Return a function: a quick session of fakes, with the fate of each contender."""
    import common
    from session import Session

    def make(fates=None, *arguments, fresh=True):
        monkeypatch.setenv("FAKE", json.dumps(fates or {}))
        options = common.parser("", "train.jsonl").parse_args(["--device", "cpu", *arguments])
        return Session(options, fresh=fresh, command=command)

    return make


def row_of(session, name="toy_mlp"):
    import train

    with session:
        return train.measure_model(session, name)


def test_a_row_has_what_a_number_depends_on(session):
    row = row_of(session({}, "--threads", "1", "--repeats", "2"))
    assert row["environment"]["threads"] == 1 and row["environment"]["processes"] == "one a contender"
    assert {"device", "driver", "precision", "os", "cpu", "cores"} <= set(row["environment"])
    assert row["software"]["keras-jax"] == {"versions": {"fake": "1"}, "threads": "1"}
    assert row["matmul_flops_per_s"] == 1e9 and row["peak_flops_per_s"] == "not measured: no GPU"
    assert (row["batch_size"], row["steps"], row["repeats"], row["data"]) == (32, 100, 2, "made up")
    assert row["products_ms"] == 1  # the floor: the fastest library's
    ours = row["contenders"]["kerazoo-tensorflow"]
    assert ours["form"] == "form of kerazoo-tensorflow" and ours["first_step_s"] == 0.5
    assert ours["ms_per_step"] == {"median": 1.0, "min": 1.0, "max": 1.0, "all": [1.0, 1.0]}
    assert ours["samples_per_s"] == pytest.approx(32_000)
    assert ours["flops_per_s"] == pytest.approx(3 * 1000 * 32_000)
    assert ours["utilisation_of_matmul"] == pytest.approx(0.096)
    assert ours["memory"] == {"peak_mib": 1.0, "gpu_mib": "not measured: no GPU"}
    assert (ours["loss"], ours["loss_difference_to_keras"], ours["trains_the_same"]) == (0.5, 0.0, True)
    assert ours["cudnn_obstacles"] == ours["tf32"] == "not measured: no GPU"
    json.dumps(row, allow_nan=False)


def test_the_best_of_each_peer_is_named(session):
    import train
    from rich.console import Console

    row = row_of(session({}, "--quick"))
    assert row["best"] == {"kerazoo": "kerazoo-tensorflow", "keras": "keras-tensorflow", "torch": row["best"]["torch"]}
    assert row["ratios"]["kerazoo-jax"]["median"] == pytest.approx(1.5)
    assert row["ratios"]["keras-jax"]["median"] == pytest.approx(3.0)
    console = Console(width=250, record=True, file=io.StringIO())
    console.print(*train.tables([row]))
    text = console.export_text()
    assert "jax: 1.5" in text and "keras-tensorflow: form of keras-tensorflow" in text


@pytest.mark.parametrize(
    ("fate", "reason"),
    [
        ("missing", "not measured: the library is not installed"),
        ("segfault", "not measured: the process ended with SIGSEGV"),
        ("exit", "not measured: the process ended with exit code 3: the last words"),
        ("raise", "not measured: RuntimeError: two lines"),
        ("late", "not measured: RuntimeError: in the second turn"),
    ],
)
def test_a_contender_that_fails_says_why_and_the_others_go_on(session, fate, reason):
    row = row_of(session({"torch-eager": fate}, "--quick"))
    assert row["contenders"]["torch-eager"] == reason
    assert "torch-eager" not in row["ratios"]
    assert row["contenders"]["keras-jax"]["ms_per_step"]["median"] == pytest.approx(3.0)
    assert len(row["contenders"]["kerazoo-jax"]["ms_per_step"]["all"]) == 3


def test_one_that_crashed_is_there_again_for_the_next_work(session):
    import train

    with session({"torch-eager": "segfault", "keras-jax": "missing"}, "--quick") as made:
        for _ in range(2):
            contenders = train.measure_model(made, "toy_mlp")["contenders"]
            assert contenders["torch-eager"] == "not measured: the process ended with SIGSEGV"
            assert contenders["keras-jax"] == "not measured: the library is not installed"


def test_a_contender_that_trains_something_else_is_marked_and_is_nobodys_best(session):
    import train
    from rich.console import Console

    row = row_of(session({"torch-eager": "other"}, "--quick", "--contenders", "*-tensorflow", "torch-eager"))
    torch = row["contenders"]["torch-eager"]
    assert torch["loss_difference_to_keras"] == 0.5 and not torch["trains_the_same"]
    assert "torch" not in row["best"]
    console = Console(width=250, record=True, file=io.StringIO())
    console.print(*train.tables([row]))
    assert "0.5: trains something else" in console.export_text()


def test_turns_alternate(session, tmp_path, monkeypatch):
    monkeypatch.setenv("FAKE_LOG", str(tmp_path / "log"))
    names = ["kerazoo-jax", "keras-jax", "torch-eager"]
    row_of(session({}, "--repeats", "4", "--contenders", *names))
    calls = (tmp_path / "log").read_text().split()
    assert calls == [*names, *names[1:], names[0], names[2], *names[:2], *names]


def test_one_that_hangs_is_ended(tmp_path):
    from pool import Absent, Pool

    environment = {**os.environ, "FAKE": json.dumps({"keras-jax": "hang"}), "OMP_NUM_THREADS": "1"}
    with Pool(["keras-jax"], lambda name: command(name, {}), lambda name: environment) as pool:
        pool.start()
        with pytest.raises(Absent, match="ran out of time"):
            pool.ask("keras-jax", "settle", 0.2, steps=1, quick=True)
        assert pool.running() == []


def test_no_worker_outlives_its_pool():
    from pool import Pool

    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with Pool(["keras-jax", "torch-eager"], lambda name: command(name, {}), lambda name: environment) as pool:
        pool.start()
        pids = [worker.pid for worker in pool._workers.values()]
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_parent_that_is_told_to_end_ends_its_workers(tmp_path):
    program = f"""
import sys
sys.path.insert(0, {str(FAKE.parents[2] / "benchmarks")!r})
import common, os
from pool import Pool
def main(argv):
    command = [sys.executable, {str(FAKE)!r}, "keras-jax"]
    with Pool(["keras-jax"], lambda name: command, lambda name: os.environ) as pool:
        pool.start()
        print(pool._workers["keras-jax"].pid, flush=True)
        pool.ask("keras-jax", "settle", steps=1, quick=True)
sys.exit(common.run(main))
"""
    environment = {**os.environ, "FAKE": json.dumps({"keras-jax": "hang"}), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = str(FAKE.parents[2])
    parent = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment)
    with parent, parent.stdout:
        pid = int(parent.stdout.readline())
        parent.terminate()
        assert parent.wait(30) == 143
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            break
        time.sleep(0.05)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_losses_are_compared_with_keras_on_the_same_backend():
    from contest import differences

    losses = {
        "keras-tensorflow": 0.5,
        "kerazoo-tensorflow": 0.5,
        "keras-jax": 0.4,
        "kerazoo-jax": 0.4,
        "torch-eager": 0.4,
    }
    assert set(differences(losses).values()) == {0.0}
    assert differences({"kerazoo-jax": 0.4, "keras-tensorflow": 0.5})["kerazoo-jax"] == pytest.approx(0.2)
    assert differences({"kerazoo-jax": 0.4}) == {}

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from fakes import CPU, change, make_claim

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger import runner
from kerazoo.ledger.catalog import Unmeasurable
from kerazoo.ledger.published import verdicts_file
from kerazoo.ledger.record import read_rows


def test_it_measures_what_the_claims_need_and_judges_it(reproduce, calls, no_data, tmp_path):
    found = reproduce()
    assert [(name, setting.seed) for name, setting in calls] == [("exact", 0), ("probe", 0), ("probe", 1), ("probe", 2)]
    assert {claim.id: claim.verdict for claim in found.claims} == {
        "009/number": "reproduced",
        "009/exact": "reproduced",
        "009/data": "not_measured",
    }
    assert found.summary == {"reproduced": 2, "not_measured": 1}
    assert "mnist is nowhere" in found.claims[2].note and found.ok
    assert read_rows(tmp_path / "out") == sorted(found.rows, key=lambda row: row["experiment"])
    (row,) = read_rows(tmp_path / "out", "exact")
    assert (row["source"], row["environment"], row["kerazoo"]) == ("none", CPU, kerazoo.__version__)
    written = json.loads((tmp_path / "out" / "verdicts.json").read_text())
    assert written == json.loads(verdicts_file(found.claims)) and written["claims"][0]["verdict"] == "reproduced"


def test_what_is_recorded_is_not_measured_again(reproduce, calls, no_data, monkeypatch):
    assert len(reproduce("009/number", seeds=2).rows) == 2
    again = reproduce()
    assert [(row["experiment"], row["seed"]) for row in again.rows] == [("exact", 0), ("probe", 2)]
    assert again.claims[0].seeds == (0, 1, 2)
    assert reproduce().rows == []
    monkeypatch.setattr(runner, "environment", lambda: {**CPU, "cpu": "another processor"})
    assert len(reproduce(claims=["009/exact"]).rows) == 1
    monkeypatch.setattr(runner, "__version__", "99")
    assert len(reproduce(claims="009/exact").rows) == 1


def test_quick_takes_one_seed_of_the_cheap_ones(reproduce, calls, no_data):
    found = reproduce(quick=True)
    assert [name for name, _ in calls] == ["exact"]
    assert "Left out by --quick" in found.claims[0].note
    assert found.ok


def test_seeds_multiply_only_what_has_chance_in_it(reproduce, calls, no_data):
    reproduce(seeds=4)
    assert Counter(name for name, _ in calls) == {"exact": 1, "probe": 4}


def test_real_data_is_named_in_the_row_and_given_to_the_experiment(reproduce, calls, monkeypatch, tmp_path):
    class Prepared:
        version, fingerprint = "3.0.1", "0123456789abcdef0"

    (tmp_path / "data").mkdir()
    monkeypatch.setattr(runner, "real_data", lambda name, data_dir: Prepared)
    found = reproduce("009/data", data_dir=tmp_path / "data")
    assert [(row["source"], row["data"]) for row in found.rows] == [("tfds", {"mnist": "3.0.1"})] * 2
    assert [setting.source for _, setting in calls] == ["tfds"] * 2
    assert calls[0][1].data_dir == str(tmp_path / "data")
    assert reproduce("009/data", data_dir=tmp_path / "data").rows == []
    Prepared.version = "4.0.0"
    assert len(reproduce("009/data", data_dir=tmp_path / "data").rows) == 2


def test_sample_data_is_measured_where_it_is_asked_for_and_said(reproduce, calls, monkeypatch, tmp_path):
    monkeypatch.setattr(runner, "real_data", None)
    found = reproduce(source="sample")
    assert {setting.source for name, setting in calls if name == "data"} == {"sample"}
    assert "Measured on the embedded sample, not on the real data." in found.claims[2].note
    assert {(row["source"], *row["data"].values()) for row in read_rows(tmp_path / "out", "data", sample=True)} == {
        ("sample", "sample")
    }


def test_the_packaged_record_takes_no_sample_data(tmp_path):
    found = kerazoo.reproduce("mnist_mlp", claims="003/mnist-70000", source="sample", quick=True, out=tmp_path)
    (claim,) = (claim for claim in found.claims if claim.id == "003/mnist-70000")
    assert claim.verdict == "not_measured" and "sample data" in claim.note


def test_a_study_of_ones_own_keeps_its_record(study, calls, no_data):
    found = kerazoo.reproduce(study=study, verbose=False)
    assert found.out == study / "record"
    verdicts = {claim.id: claim.verdict for claim in kerazoo.claims(study=study)}
    assert (verdicts["009/number"], verdicts["009/exact"]) == ("reproduced", "reproduced")


def test_real_data_that_is_insisted_on_and_missing_is_an_error(reproduce, calls, no_data, tmp_path):
    with pytest.raises(kerazoo.UnavailableError, match="mnist is nowhere"):
        reproduce(source="tfds")
    assert calls == [] and not (tmp_path / "out").exists()


def test_a_failing_experiment_does_not_stop_the_others(write_study, experiment, calls, tmp_path, capsys):
    attempts = []

    @experiment("fails", seeds=2, minutes=0.01)
    def fails(setting):
        attempts.append(setting.seed)
        raise ZeroDivisionError("Traceback of\nopen '/home/me/zero.txt' and /x/y.z, 1/2/3")

    @experiment("cannot")
    def cannot(setting):
        raise Unmeasurable("No accelerator.")

    @experiment("needy", needs=("module:no_such_module",))
    def needy(setting):
        raise AssertionError

    names = ("fails", "cannot", "needy", "probe")
    study = write_study(*(make_claim(id=f"009/{name}", experiment=name) for name in names))
    found = kerazoo.reproduce(study=study, out=tmp_path / "out", verbose=False)
    notes = {claim.id: claim.note for claim in found.claims if claim.verdict == "not_measured"}
    assert set(notes) == {"009/fails", "009/cannot", "009/needy"}
    assert notes["009/cannot"] == "No accelerator."
    assert "no_such_module" in notes["009/needy"]
    assert notes["009/fails"].startswith("ZeroDivisionError: open 'zero.txt' and y.z, 1/2/3 (test_rep")
    assert attempts == [0] and list(found.failed) == ["fails"] and not found.ok
    assert main(["reproduce", "--study", str(study), "--out", str(tmp_path / "out")]) == 1
    assert "failed: fails: ZeroDivisionError" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        ({"names": "imdb_lstn"}, "Did you mean 'imdb_lstm'"),
        ({"claims": ["009/exakt"]}, "Did you mean '009/exact'"),
        ({"names": []}, "the list of names is empty"),
        ({"claims": ()}, "the list of names is empty"),
        ({"seeds": 0}, "seeds=0"),
        ({"source": "real"}, "source='real'"),
        ({"out": ""}, "not a directory"),
        ({"out": __file__}, "not a directory"),
        ({"data_dir": "/no/such"}, "data_dir"),
        ({"verify": True, "record": "/no/such"}, "not a directory"),
        ({"verify": True, "record": Path(__file__).parent}, "nothing to verify"),
        ({"verify": True, "out": "runs/x"}, "out='runs/x' with verify"),
        ({"verify": True, "seeds": 2}, "seeds=2 with verify"),
        ({"quick": True, "seeds": 2}, "seeds=2 with quick"),
        ({"record": "runs/x"}, "record='runs/x' without verify"),
    ],
)
def test_a_call_that_cannot_work_is_refused_before_anything_is_written(reproduce, calls, tmp_path, arguments, fault):
    with pytest.raises(kerazoo.InputError, match=fault):
        reproduce(**arguments)
    assert calls == [] and not (tmp_path / "out").exists()


def test_the_command_tells_verdicts_failures_and_differences(study, calls, no_data, tmp_path, capsys):
    arguments = ["reproduce", "--study", str(study)]
    out = ["--out", str(tmp_path / "out")]
    assert main([*arguments, *out, "--json"]) == 0
    captured = capsys.readouterr()
    found = json.loads(captured.out)
    assert found["summary"] == {"reproduced": 2, "not_measured": 1} and found["out"] == str(tmp_path / "out")
    assert "[1/4] exact; about" in captured.err and "data is not measured" in captured.err
    assert main([*arguments, *out, "--quick", "--claims", "009/exact"]) == 0
    assert "009/exact" in capsys.readouterr().out
    verify = [*arguments, "--verify", "--record", str(tmp_path / "out")]
    assert main(verify) == 0
    assert "2 of 2 planned rows measured again: 0 values different" in capsys.readouterr().out
    change(tmp_path / "out" / "exact.jsonl", '"count": 3', '"count": 5')
    assert main(verify) == 1
    assert "recorded 5, now 3" in capsys.readouterr().out
    assert main([*arguments, "--source", "tfds"]) == 1
    assert main([*arguments, "--seeds", "-1"]) == 2


EXPERIMENTS = """
import time
import kerazoo

@kerazoo.experiment("exact")
@kerazoo.experiment("data")
@kerazoo.experiment("probe", seeds=12)
def probe(setting):
    time.sleep(0.02)
    return {"number": 0.84 + setting.seed / 1000, "text": "x" * 200_000}
"""
SCRIPT = """
import sys, warnings
sys.path.insert(0, sys.argv[3])
from fakes import CPU
from kerazoo.ledger import runner
import kerazoo
runner.environment = lambda: CPU
kerazoo.claims(study=sys.argv[1])
print("ready", flush=True)
warnings.simplefilter("ignore")
found = kerazoo.reproduce("009/number", study=sys.argv[1], out=sys.argv[2], verbose=False)
print(found.claims[0].n, len(found.rows))
"""


@pytest.fixture
def start(study, tmp_path):
    """Return a function that starts `reproduce` of twelve seeds in a process of its own."""

    (study / "experiments.py").write_text(EXPERIMENTS)

    def begin():
        arguments = [SCRIPT, str(study), str(tmp_path / "out"), str(Path(__file__).parent)]
        process = subprocess.Popen([sys.executable, "-c", *arguments], stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "ready\n"
        return process

    return begin


@pytest.mark.filterwarnings("ignore::kerazoo.ledger.record.RecordWarning")
def test_a_killed_reproduction_keeps_its_rows_and_goes_on(start, tmp_path):
    choose = random.Random(0)
    kept = killed = 0
    while killed < 3 or (kept == 0 and killed < 20):
        process = start()
        time.sleep(choose.uniform(0.02, 0.15) * (1 + killed))
        killed += 1
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        rows = read_rows(tmp_path / "out")
        assert [row["seed"] for row in rows] == list(range(len(rows)))  # none lost, none measured twice
        assert len(rows) >= kept
        kept = len(rows)
    assert kept > 0
    output, _ = start().communicate(timeout=60)
    assert output.split() == ["12", str(12 - kept)]


def test_two_at_once_measure_no_row_twice(start, tmp_path):
    outputs = [process.communicate(timeout=60)[0].split() for process in [start(), start()]]
    assert [seeds for seeds, _ in outputs] == ["12", "12"]
    assert sum(int(rows) for _, rows in outputs) == 12
    assert sorted(row["seed"] for row in read_rows(tmp_path / "out")) == list(range(12))

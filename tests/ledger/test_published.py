"""Verdicts as they were published, and what more would decide: neither measures anything."""

import json
import resource
import subprocess
import sys

import pytest
from fakes import change, make_claim

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger import provenance
from kerazoo.ledger.planning import plan
from kerazoo.ledger.published import VERDICTS, recompute
from kerazoo.ledger.record import read_rows

RECOMPUTE = """
import sys
from kerazoo.cli import main
code = main(["claims", "--recompute", "--json"])
assert not {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
sys.exit(code)
"""


def test_the_packaged_verdicts_follow_from_the_packaged_record_without_tensorflow():
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", RECOMPUTE], check=False, capture_output=True, text=True, timeout=120)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    found = json.loads(done.stdout)
    assert (done.returncode, found["differences"]) == (0, [])
    assert found["claims"] == len(kerazoo.claims()) and found["rows"] > 100
    assert after.ru_utime - before.ru_utime < 10  # seconds of a processor, which other processes do not make more


def test_a_verdict_that_no_longer_follows_is_told(study, calls, no_data, capsys):
    kerazoo.reproduce(study=study, verbose=False)
    assert recompute(study).differences == []
    kerazoo.reproduce("009/exact", study=study, verbose=False)
    assert recompute(study).differences == []
    change(study / "record" / "probe.jsonl", "0.839", "0.639")
    (line,) = recompute(study).differences
    assert line.startswith("009/number: published reproduced by 3 seeds") and "derived undecided by 3" in line
    assert main(["claims", "--study", str(study), "--recompute"]) == 1
    assert "3 verdicts derived from 4 rows" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "", "{}", '{"claims": [{"id": 3}]}', '{"claims": 3}'])
def test_a_record_without_published_verdicts_is_refused(study, calls, no_data, content, capsys):
    kerazoo.reproduce(study=study, verbose=False)
    path = study / "record" / VERDICTS
    path.unlink() if content is None else path.write_text(content)
    assert main(["claims", "--study", str(study), "--recompute"]) == 2
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and VERDICTS in line and "kerazoo reproduce" in line


def test_the_plan_names_missing_seeds_and_what_they_would_decide(write_study, calls, no_data, capsys):
    close = make_claim(documented=0.8405, tolerance=0.004)
    folder = write_study(close, make_claim(id="009/exact", experiment="exact", rule="equal", value="answer.count"))
    (missing, exact) = plan(study=folder)[::-1]
    assert (missing.experiment, missing.recorded, missing.wanted, missing.minutes) == ("probe", 0, 3, 15)
    assert (missing.asked, missing.asked_minutes) == (3, 15)
    assert (exact.experiment, exact.recorded, exact.wanted) == ("exact", 0, 1)
    kerazoo.reproduce(study=folder, seeds=1, verbose=False)
    (step,) = plan(study=folder)
    assert (step.recorded, step.wanted, step.decides) == (1, 3, {})  # of one seed the spread is not known
    kerazoo.reproduce(study=folder, verbose=False)
    (step,) = plan(study=folder)
    assert (step.experiment, step.recorded) == ("probe", 3)
    assert step.wanted == step.decides["009/number"] > 3
    assert (step.asked, step.asked_minutes) == (3, 0)
    assert main(["reproduce", "--study", str(folder), "--plan"]) == 0
    told = capsys.readouterr().out
    assert f"009/number ({step.wanted})" in told
    assert f"ask for: 0 minutes; to decide every claim: {step.minutes:.0f} minutes." in " ".join(told.split())


def test_nothing_is_planned_where_all_is_decided(study, calls, no_data, capsys):
    kerazoo.reproduce(study=study, verbose=False)
    assert main(["reproduce", "009/number", "--study", str(study), "--plan"]) == 0
    assert "Nothing of this is left to measure" in capsys.readouterr().out
    assert main(["reproduce", "--study", str(study), "--plan", "--seeds", "4", "--quick"]) == 2
    assert "leave --seeds, --quick out" in capsys.readouterr().err
    assert main(["claims", "--study", str(study), "--check", "--recompute"]) == 2
    assert "one after the other" in capsys.readouterr().err


def test_a_row_says_by_which_commit_and_how_busy_the_machine_was(reproduce, calls, no_data, monkeypatch, tmp_path):
    monkeypatch.setattr(provenance, "commit", lambda: {"commit": "abc", "dirty": True})
    reproduce("009/exact")
    (row,) = read_rows(tmp_path / "out", "exact")
    assert (row["commit"], row["dirty"], row["data_digests"]) == ("abc", True, {})
    assert set(row["load"]) == {"before", "after"}


def test_a_changed_file_of_the_package_is_noticed(tmp_path, monkeypatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    monkeypatch.setattr(provenance, "_ROOT", tmp_path)
    look = provenance.commit.__wrapped__
    assert look() == {}
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    assert look() == {}  # no commit yet
    (tmp_path / "kerazoo").mkdir()
    (tmp_path / "kerazoo" / "a.py").write_text("1")
    (tmp_path / "setup.cfg").write_text("")
    subprocess.run([*git, "add", "-A"], check=True)
    subprocess.run([*git, "commit", "-qm", "Begin"], check=True)
    assert (len(look()["commit"]), look()["dirty"]) == (40, False)
    (tmp_path / "kerazoo" / "a.py").write_text("2")
    assert look()["dirty"] is True

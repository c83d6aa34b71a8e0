"""Measuring a sample of the record again, and comparing."""

from collections import Counter

from fakes import CPU, change, make_claim

import kerazoo
from kerazoo.cli import main
from kerazoo.ledger import runner
from kerazoo.ledger.catalog import Unmeasurable


def test_verify_finds_what_was_changed_in_the_record(reproduce, calls, no_data, tmp_path):
    reproduce()
    recorded = tmp_path / "out"
    before = {path.name: path.read_bytes() for path in recorded.iterdir()}
    found = reproduce(verify=True, record=recorded, out=None)
    assert found.ok and found.differences == [] and found.out is None
    assert Counter(row["experiment"] for row in found.rows) == {"exact": 1, "probe": 1}
    assert {path.name: path.read_bytes() for path in recorded.iterdir()} == before
    assert Counter(row["experiment"] for row in reproduce(verify=True, quick=True, record=recorded).rows) == {
        "exact": 1
    }

    change(recorded / "exact.jsonl", '"count": 3', '"count": 4')
    found = reproduce(verify=True, record=recorded)
    assert not found.ok
    assert found.differences == ["009/exact, seed 0: recorded 4, now 3, different in the same environment"]
    assert {claim.id: claim.verdict for claim in found.claims}["009/exact"] == "not_reproduced"

    seed = next(row["seed"] for row in found.rows if row["experiment"] == "probe")
    value = str([0.839, 0.843, 0.835][seed])
    change(recorded / "probe.jsonl", value, f"{value}1")
    assert any(
        line.startswith(f"009/number, seed {seed}") for line in reproduce(verify=True, record=recorded).differences
    )


def test_verify_is_not_passed_where_nothing_could_be_measured(write_study, experiment, tmp_path, capsys):
    able = [True]

    @experiment("probe")
    def probe(setting):
        if not able:
            raise Unmeasurable("No accelerator.")
        return {"number": 0.84}

    study = write_study(make_claim())
    kerazoo.reproduce(study=study, out=tmp_path / "out", verbose=False)
    able.clear()
    assert main(["reproduce", "--study", str(study), "--verify", "--record", str(tmp_path / "out")]) == 1
    output = capsys.readouterr().out
    assert "not measured: probe: No accelerator." in output and "0 of 1 planned rows" in output


def test_verify_does_not_expect_the_same_seconds(write_study, experiment, tmp_path):
    times = iter([1.0, 1.1, 1.2, 1.15, 9.0])

    @experiment("probe", seeds=3)
    def probe(setting):
        return {"number": next(times)}

    timed = make_claim(rule="effect", kind="statement", design="groups", clock=True)
    options = {"study": write_study(timed), "verbose": False}
    out = kerazoo.reproduce(out=tmp_path / "out", **options).out
    assert kerazoo.reproduce(verify=True, record=out, **options).ok
    (line,) = kerazoo.reproduce(verify=True, record=out, **options).differences
    assert "now 9, different by more than" in line


def test_verify_elsewhere_allows_for_the_tolerance_and_the_spread(reproduce, experiment, calls, no_data, monkeypatch):
    shift = [0.0]

    @experiment("wide", seeds=3)
    def wide(setting):
        return {"number": [0.1, 0.2, 0.3][setting.seed] + shift[0]}

    found = reproduce()
    elsewhere = {**CPU, "cpu": "another processor"}
    monkeypatch.setattr(runner, "environment", lambda: elsewhere)
    assert reproduce(verify=True, record=found.out).ok
    change(found.out / "probe.jsonl", "0.8", "0.7")
    differences = reproduce(verify=True, record=found.out).differences
    assert len(differences) == 1 and "009/number" in differences[0] and "by more than" in differences[0]

import errno
import json
import math
import os
import warnings

import numpy as np
import pytest
from fakes import CPU, make_row
from hypothesis import given, settings
from hypothesis import strategies as st

import kerazoo
from kerazoo.ledger.record import RecordWarning, append_row, as_written, digest, done, key_of, read_rows, select

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def without_nan(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: without_nan(one) for name, one in value.items()}
    return [without_nan(one) for one in value] if isinstance(value, list) else value


@settings(deadline=None)  # it writes files, and the disk is shared
@given(st.lists(st.dictionaries(st.text(), json_values, max_size=3), min_size=1, max_size=3))
def test_what_is_written_is_read(tmp_path_factory, several):
    folder = tmp_path_factory.mktemp("record")
    written = [append_row(folder, make_row(seed, values)) for seed, values in enumerate(several)]
    assert read_rows(folder, "probe") == written
    assert [row["values"] for row in written] == [without_nan(values) for values in several]


def test_numpy_values_and_tuples_become_plain_ones():
    row = as_written(make_row(values={"a": np.float32(0.5), "b": np.arange(3), "c": (1, np.nan), "d": np.bool_(True)}))
    assert row["values"] == {"a": 0.5, "b": [0, 1, 2], "c": [1, None], "d": True}
    with pytest.raises(kerazoo.LedgerError, match="experiment 'probe' measured a set"):
        as_written(make_row(values={"a": {1}}))


def test_a_torn_last_line_is_skipped_and_the_next_row_is_whole(tmp_path):
    append_row(tmp_path, make_row(0, {"x": 1}))
    path = tmp_path / "probe.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    with pytest.warns(RecordWarning, match="line 2 is skipped: not whole"):
        assert [row["seed"] for row in read_rows(tmp_path)] == [0]
    append_row(tmp_path, make_row(1, {"x": 2}))
    with pytest.warns(RecordWarning, match="line 2"):
        assert [row["seed"] for row in read_rows(tmp_path)] == [0, 1]
    assert path.read_bytes().startswith(whole)


def test_every_cut_of_a_record_leaves_its_whole_rows(tmp_path):
    rows = [append_row(tmp_path, make_row(seed, {"text": "ä\n€"})) for seed in range(2)]
    path = tmp_path / "probe.jsonl"
    whole = path.read_bytes()
    first = whole.index(b"\n") + 1
    for cut in range(len(whole)):
        path.write_bytes(whole[:cut])
        expected = rows[: (cut >= first - 1) + (cut >= len(whole) - 1)]
        ends_well = cut in (0, first - 1, first, len(whole) - 1)
        if ends_well:
            assert read_rows(tmp_path) == expected
        else:
            with pytest.warns(RecordWarning):
                assert read_rows(tmp_path) == expected


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        (make_row(source="sample"), "only measurements on real data"),
        ({**make_row(), "seed": "0"}, "'seed'"),
        ({**make_row(), "revision": True}, "'revision'"),
        ({name: value for name, value in make_row().items() if name != "environment"}, "'environment'"),
    ],
)
def test_what_does_not_belong_into_the_record_is_refused(tmp_path, row, fault):
    with pytest.raises(kerazoo.LedgerError, match=fault):
        append_row(tmp_path, row)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "probe.jsonl").write_text(json.dumps({**row, "digest": digest(row)}) + "\n")
    with pytest.warns(RecordWarning, match=fault):
        assert read_rows(tmp_path) == []


def test_no_flipped_bit_leaves_another_row(tmp_path):
    row = append_row(tmp_path, make_row(3, {"number": 0.839, "text": "ab"}))
    path = tmp_path / "probe.jsonl"
    whole = path.read_bytes()
    for place in range(len(whole) - 1):
        for bit in (1, 4):
            path.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            with warnings.catch_warnings(record=True) as told:
                warnings.simplefilter("always")
                rows = read_rows(tmp_path)
            assert rows in ([], [row])
            assert rows or f"{path}, line 1 is skipped: " in str(told[0].message)


def test_a_row_without_its_digest_does_not_count(tmp_path):
    (tmp_path / "probe.jsonl").write_text(json.dumps(make_row()) + "\n")
    with pytest.warns(RecordWarning, match="probe.jsonl, line 1 is skipped: its digest is not that of its content"):
        assert read_rows(tmp_path) == []


def test_sample_data_is_let_in_where_it_is_asked_for(tmp_path):
    row = append_row(tmp_path, make_row(source="sample"), sample=True)
    assert read_rows(tmp_path, sample=True) == [row]
    with pytest.warns(RecordWarning, match="only measurements on real data"):
        assert read_rows(tmp_path) == []


def test_a_full_disk_names_the_file(tmp_path, monkeypatch):
    def full(file, line):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="probe.jsonl"):
        append_row(tmp_path, make_row())


def test_a_disk_that_takes_half_a_row_is_an_error(tmp_path, monkeypatch):
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, line: write(file, line[: len(line) // 2]))
    with pytest.raises(OSError, match="part of a row"):
        append_row(tmp_path, make_row())
    monkeypatch.undo()
    append_row(tmp_path, make_row(1))
    with pytest.warns(RecordWarning):
        assert [row["seed"] for row in read_rows(tmp_path)] == [1]


def test_seeds_of_machines_that_differ_in_the_number_of_cores_count_together():
    one_core = make_row(seed=1, environment={**CPU, "cores": 1})
    used, remark = select([make_row(), one_core], "probe")
    assert ([row["seed"] for row in used], remark) == ([0, 1], "")
    assert key_of({**one_core, "seed": 0}) not in done([make_row()])  # and are measured on each, to be compared
    used, remark = select([make_row(), one_core, {**one_core, "seed": 2}], "probe", timed=True)
    assert [row["seed"] for row in used] == [1, 2]
    assert remark.startswith("1 measurement in another environment")


def test_a_measurement_is_done_for_its_version_environment_and_source():
    row = make_row()
    other_machine = {**CPU, "cpu": "another"}
    newer_keras = {**CPU, "versions": {**CPU["versions"], "keras": "4"}}
    others = [
        make_row(seed=1),
        make_row(revision=2),
        make_row(source="tfds"),
        {**make_row(), "data": {"mnist": "4.0.0"}},
        {**make_row(), "kerazoo": "9"},
        make_row(environment=other_machine),
        make_row(environment=newer_keras),
        make_row(environment={**CPU, "precision": "mixed_bfloat16"}),
        make_row(environment={**CPU, "gpus": ["H100"]}),
    ]
    assert key_of(make_row(values={"x": 1}, environment={**CPU, "os": "Linux"})) in done([row])
    assert not done([row]) & done(others)
    assert len(done(others)) == len(others)

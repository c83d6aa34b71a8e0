import dataclasses
import re

import pytest
from fakes import CPU, make_claim, make_row
from hypothesis import given
from hypothesis import strategies as st

from kerazoo.ledger.entries import Answer, Chinese, Entry
from kerazoo.ledger.rules import combined
from kerazoo.ledger.study import load_study
from kerazoo.ledger.values import close, text_of
from kerazoo.ledger.verdicts import judge
from kerazoo.schema import Verdict

PROBE = "import kerazoo\n\n\n@kerazoo.experiment('probe', seeds=3)\ndef probe(setting):\n    return {}\n"
GPU = {**CPU, "gpus": ["H100"]}


def entry(**fields):
    return Entry(document="009", title="A test", **make_claim(**fields))


def rows_of(*values, **fields):
    return [make_row(seed, {"number": value}, **fields) for seed, value in enumerate(values)]


@pytest.mark.parametrize(
    ("rule", "kind", "values", "verdict"),
    [
        ("true", "formula", [True], "holds"),
        ("true", "formula", [False], "wrong"),
        ("true", "statement", [True, False], "wrong"),
        ("true", "metric", [False], "not_reproduced"),
        ("runs", "program", [True], "holds"),
        ("runs", "program", [False], "not_runnable"),
        ("equal", "metric", [0.86], "reproduced"),
        ("equal", "metric", [0.8601], "not_reproduced"),
        ("equal", "arithmetic", [0.82], "holds"),
        ("equal", "arithmetic", [0.81], "wrong"),
        ("equal", "statement", [0.84, 0.84], "holds"),
        ("equal", "statement", [0.84, 0.9], "wrong"),
        ("equivalence", "metric", [0.839, 0.843, 0.835], "reproduced"),
        ("equivalence", "metric", [0.79, 0.80, 0.795], "not_reproduced"),
        ("equivalence", "metric", [0.81, 0.86, 0.88], "undecided"),  # the mean is within, the test is not passed
        ("equivalence", "metric", [0.86, 0.88, 0.90], "undecided"),  # the mean is outside, the interval is not
        ("equivalence", "metric", [0.855], "reproduced"),
        ("equivalence", "metric", [0.87], "not_reproduced"),
        ("effect", "statement", [0.05, 0.06, 0.055], "holds"),
        ("effect", "statement", [0.015, 0.025, 0.02], "undecided"),  # above 0, not above the tolerance
        ("effect", "statement", [0.015, 0.016, 0.017], "not_reproduced"),
        ("effect", "statement", [-0.05, -0.06], "not_reproduced"),
        ("effect", "statement", [0.05], "holds"),
        ("effect", "statement", [0.01], "not_reproduced"),
        ("timing", "timing", [231.0, 205.0], "not_comparable"),
        ("unstated", "metric", [0.98, 0.981], "not_comparable"),
        ("unstated", "metric", ["a text"], "not_comparable"),
    ],
)
def test_every_rule_gives_its_verdict(rule, kind, values, verdict):
    found = judge(entry(rule=rule, kind=kind, design="groups"), rows_of(*values))
    assert (found.verdict, found.n, found.values) == (verdict, len(values), tuple(values))


def test_the_verdict_follows_the_documented_and_the_measured_number():
    rows = rows_of(0.839, 0.843, 0.835)
    assert judge(entry(documented=0.84), rows).verdict == "reproduced"
    assert judge(entry(documented=0.89), rows).verdict == "not_reproduced"
    assert judge(entry(documented=0.84), rows_of(0.739, 0.743, 0.735)).verdict == "not_reproduced"
    assert judge(entry(rule="equal", documented=[1, 2]), rows_of([1, 2])).verdict == "reproduced"
    assert judge(entry(rule="equal", documented=[1, 3]), rows_of([1, 2])).verdict == "not_reproduced"


def test_a_claim_carries_the_statistics_and_where_they_come_from():
    rows = rows_of(0.839, 0.843, 0.835, at="2025-03-04", source="tfds")
    rows = [{**row, "data": {"imdb_reviews": "1.0.0"}} for row in rows]
    claim = judge(entry(binomial=25_000), rows)
    assert claim.measured == pytest.approx(0.839)
    assert claim.sd == pytest.approx(0.004)
    assert claim.interval == pytest.approx((0.839 - 0.0099366, 0.839 + 0.0099366), abs=1e-6)
    assert claim.binomial[0] < 0.839 < claim.binomial[1] < claim.interval[1]
    assert (claim.seeds, claim.source, claim.data) == ((0, 1, 2), "tfds", {"imdb_reviews": "1.0.0"})
    assert (claim.environment, claim.measured_at, claim.quote) == (CPU, "2025-03-04", "0.84")
    assert "p = " in claim.note and "3 seeds" in claim.note


def test_one_seed_is_said_to_be_one():
    assert judge(entry(), rows_of(0.84)).note.startswith("One seed, no test: ")
    assert judge(entry(rule="effect", design="groups"), rows_of(0.84)).note.startswith("One seed, no test: ")


@pytest.mark.parametrize(
    ("rule", "values", "undecided"),
    [
        ("equivalence", [0.81, 0.86, 0.88], True),  # the mean is within
        ("equivalence", [0.79, 0.80, 0.795], False),
        ("equivalence", [0.839, 0.843, 0.835], False),
        ("effect", [0.01, 0.05, 0.03], True),  # 0.02 is in the interval
        ("effect", [-0.05, -0.06, -0.055], False),
        ("effect", [0.02, 0.02], False),  # no spread
        ("effect", [0.05, 0.06, 0.055], False),
    ],
)
def test_what_more_seeds_might_settle_says_how_many(rule, values, undecided):
    found = judge(entry(rule=rule, design="groups"), rows_of(*values))
    assert (found.verdict == "undecided") is undecided
    assert bool(re.search(r"Undecided: with this mean and spread .* seeds would decide", found.note)) is undecided
    assert ("needs p < 0.05 (a 90 % interval within it)" in found.note) is (rule == "equivalence")
    assert "Measured: mean " in found.note


def test_one_seed_of_an_experiment_that_wants_several_is_undecided():
    for one in (entry(), entry(rule="effect", design="groups")):
        assert judge(one, rows_of(0.84), seeds=3).verdict == "undecided"
        assert judge(one, rows_of(0.84), seeds=1).verdict in ("reproduced", "holds")


def test_what_an_effect_leaves_out_is_told_beside_it():
    one = entry(rule="effect", design="groups", beside={"Change of test accuracy": "test.0"})
    rows = [make_row(seed, {"number": 0.05, "test": [change]}) for seed, change in enumerate([-0.02, -0.03, -0.04])]
    assert "Change of test accuracy: -0.030 ± 0.025 (3 seeds)." in judge(one, rows).note  # t(0.975, 2) = 4.303
    assert "Change of test accuracy: -0.02 (1 seed)." in judge(one, rows[:1]).note
    assert "no number at 'test.0'" in judge(one, rows_of(0.05, 0.05)).note


def test_the_caveat_of_a_claim_stands_in_the_note_of_its_verdict():
    assert judge(entry(caveat="As printed it never ends"), rows_of(0.84)).note.endswith("As printed it never ends.")


def test_fewer_seeds_than_the_experiment_wants_are_told():
    assert "Measured with 2 of the 5 seeds wanted." in judge(entry(), rows_of(0.84, 0.85), seeds=5).note
    assert "seeds wanted" not in judge(entry(), rows_of(0.84, 0.85), seeds=2).note


def test_no_row_is_not_measured_with_the_reason():
    assert judge(entry(), []).verdict == "not_measured"
    assert "'probe'" in judge(entry(), []).note
    assert judge(entry(), [], absence="no real data").note == "no real data."
    old = judge(entry(), rows_of(0.84), revision=2)
    assert old.verdict == "not_measured" and "earlier design" in old.note


@pytest.mark.parametrize(
    ("values", "reason"),
    [({}, "nothing at 'number'"), ({"number": None}, "not a finite number"), ({"number": "x"}, "cannot judge")],
)
def test_a_row_that_cannot_be_judged_is_not_measured(values, reason):
    found = judge(entry(), [make_row(0, {"number": 0.84}), make_row(1, values)])
    assert found.verdict == "not_measured" and reason in found.note and "seed 1" in found.note


def test_rows_of_the_newest_revision_and_the_latest_of_a_seed_count():
    rows = rows_of(0.1, 0.1, 0.1) + rows_of(0.84, revision=2, at="2025-02-01")
    assert judge(entry(), rows).values == (0.84,)
    rows = [*rows_of(0.85, at="2025-03-01"), *rows_of(0.84, at="2025-02-01"), *rows_of(0.83, at="2025-01-01")]
    assert judge(entry(), rows).values == (0.85,)
    assert judge(entry(), reversed(rows)).values == (0.85,)


def test_environments_are_not_mixed():
    rows = [*rows_of(0.1, 0.1, environment=GPU, at="2025-02-01"), *rows_of(0.84, 0.85, 0.83)]
    found = judge(entry(), rows)
    assert (found.seeds, found.environment["gpus"]) == ((0, 1, 2), [])
    assert "2 measurements in another environment, or on another version of the data, left out." in found.note
    rows = [*rows_of(0.1, environment=GPU, at="2025-02-01"), *rows_of(0.84)]
    assert judge(entry(), rows).values == (0.1,)  # as many seeds: the later one


def test_versions_of_the_data_are_not_mixed():
    newer = [{**row, "data": {"mnist": "4.0.0"}} for row in rows_of(0.1, at="2025-02-01")]
    older = [{**row, "data": {"mnist": "3.0.1"}} for row in rows_of(0.84, 0.85)]
    found = judge(entry(), [*newer, *older])
    assert (found.values, found.data) == ((0.84, 0.85), {"mnist": "3.0.1"})


def test_sample_data_counts_where_there_is_no_other_and_is_said():
    sample, real = rows_of(0.1, 0.1, 0.1, source="sample"), rows_of(0.84, source="tfds")
    assert "Measured on the embedded sample, not on the real data." in judge(entry(), sample).note
    assert judge(entry(), [*sample, *real]).values == (0.84,)


def test_several_claims_may_state_one_fact():
    assert judge(entry(), []).fact == "009/number"
    assert judge(entry(fact="009/table"), []).fact == "009/table"


def test_paths_lead_into_lists_and_what_stands_beside_is_found():
    values = {
        "note": "for all",
        "deep": {"curve": [{"y": 0.84}], "note": "beside", "repairs": [{"call": "fit", "why": "shape"}]},
        "evidence": [1, 2],
        "number": 0.84,
    }
    rows = [make_row(0, values)]
    found = judge(entry(value="deep.curve.0.y"), rows)
    assert (found.values, found.repairs) == ((0.84,), ())  # the innermost dictionary is {"y": ...}
    assert "for all" in found.note
    found = judge(entry(value="deep.curve", rule="unstated"), rows)
    assert "beside" in found.note and found.repairs == ({"call": "fit", "why": "shape"},) and found.evidence == ()
    assert judge(entry(), rows).evidence == ([1, 2],)
    assert judge(entry(value="deep.curve.1.y"), rows).verdict == "not_measured"
    assert judge(entry(value="deep.curve.last.y"), rows).values == (0.84,)


def test_notes_that_differ_are_those_of_the_first_seed():
    rows = [make_row(seed, {"number": 0.84, "note": f"run {seed}"}) for seed in range(2)]
    assert "Seed 0: run 0." in judge(entry(), rows).note


def test_decimal_fractions_are_compared_as_they_are_printed():
    assert close(0.84 + 0.02, 0.84, 0.02) and close(0.84 - 0.02, 0.84, 0.02)
    assert not close(0.8600001, 0.84, 0.02)
    assert close([1, [2.5]], [1, [2.4]], 0.1 + 1e-15) and not close([1], [1, 2], 9)
    assert not close(True, 1, 0) and close("a", "a", 0) and not close("1", 1, 5)


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_close_is_symmetric_and_wider_with_the_tolerance(a, b, tolerance):
    assert close(a, b, tolerance) == close(b, a, tolerance)
    assert close(a, b, abs(a - b)) and (close(a, b, tolerance) or tolerance < abs(a - b))


def test_values_are_shown_short():
    assert [text_of(one) for one in (0.123456, 25000, [1, 0.5], True, 231234.5)] == [
        "0.1235", "25000", "[1, 0.5]", "True", "231,234",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "verdict"),
    [
        ([True, True], "holds"),
        ([False, False], "wrong"),
        ([True, False], "mixed"),
        ([True, None], "not_measured"),
        ([False, None], "wrong"),
    ],
)
def test_a_claim_of_several_parts_is_mixed_where_they_differ(parts, verdict):
    values = {"number": parts[0], **{f"part{place}": part for place, part in enumerate(parts)}}
    paths = {f"the part {place}": f"part{place}" for place in range(len(parts))}
    found = judge(entry(rule="true", kind="statement", parts=paths), [make_row(values=values)])
    assert found.verdict == verdict
    assert all(f"{name}: " in found.note for name in paths)


def test_a_part_that_is_not_there_is_named_by_its_path():
    given = entry(rule="true", kind="statement", parts={"one": "number", "other": "gone.a"})
    found = judge(given, [make_row(values={"number": True})])
    assert found.verdict == "not_measured" and "nothing at 'gone.a'" in found.note


@given(st.lists(st.sampled_from(list(Verdict)), max_size=6))
def test_verdicts_on_one_fact_are_combined_in_any_order(verdicts):
    found = combined(verdicts)
    assert found is combined(reversed(verdicts)) and (found is Verdict.MIXED or not verdicts or found in verdicts)
    if {"holds", "wrong"} <= set(verdicts):
        assert found is Verdict.MIXED


def test_a_claim_that_a_source_settles_has_the_verdict_of_its_entry():
    made = {"rule": "source", "kind": "literature", "finding": "wrong", "reference": "Vaswani et al. 2017", "value": ""}
    claim = judge(entry(**{**made, "experiment": ""}), [])
    assert (claim.verdict, claim.n, claim.measured) == ("wrong", 0, None)
    assert claim.note == "a test. Source: Vaswani et al. 2017."
    claim = judge(entry(**{**made, "experiment": "", "caveat": "another reading"}), [])
    assert claim.note == "a test. Source: Vaswani et al. 2017. another reading."


def test_what_a_document_does_not_claim_is_told_without_a_verdict_on_it():
    found = judge(entry(rule="unstated", kind="statement", documented=True), [make_row(values={"number": False})])
    assert (found.verdict, found.measured) == ("not_comparable", False)
    assert found.note.startswith("The document does not claim it.")


def test_an_answer_is_told_with_the_verdict_that_it_explains_and_no_other():
    answer = Answer("reproduced", "Measured {measured} over {n} seeds: {x}.", "实测{measured}。")
    given = dataclasses.replace(entry(), answer=answer, zh=Chinese(metric="准确率"))
    claim = judge(given, rows_of(0.839, 0.843, 0.835))
    assert claim.answer == "Measured 0.839 over 3 seeds: {x}."
    assert claim.zh == {"metric": "准确率", "answer": "实测0.839。"}
    other = judge(given, rows_of(0.739, 0.743, 0.735))
    assert (other.answer, other.zh) == ("", {"metric": "准确率"})


def test_the_numbers_of_a_family_are_corrected_for_how_many_they_are(write_study):
    claims = [make_claim(id=f"009/{place}", value=f"numbers.{place}", family="the table") for place in range(10)]
    study = load_study(write_study(*claims, experiments=PROBE))
    noise = [0.0, 0.009, -0.009]  # alone, each passes
    rows = [make_row(seed, {"numbers": [0.84 + noise[seed]] * 10}) for seed in range(3)]
    (alone,) = {claim.verdict for claim in (judge(entry, rows) for entry in study.entries)}
    (together,) = {claim.verdict for claim in study.judge(study.entries, rows)}
    assert (alone, together) == ("reproduced", "undecided")
    assert all("10 numbers of the table (Holm)" in claim.note for claim in study.judge(study.entries[:1], rows))
    assert all(claim.decides > 3 for claim in study.judge(study.entries, rows))


def test_a_claim_about_times_rests_on_rows_of_one_number_of_cores():
    rows = [make_row(0, {"number": 0.84}), make_row(1, {"number": 0.84}, environment={**CPU, "cores": 1})]
    assert judge(entry(), rows).n == 2
    assert judge(entry(), rows).environment["cores"] == [1, 2]
    assert judge(entry(clock=True), rows).n == judge(entry(rule="timing", kind="timing"), rows).n == 1

"""The printed programs: where they fail, and what makes them run."""

import pytest
from articles import claim

from kerazoo.studies.articles.experiments.repairing import Repair, run_repaired


@pytest.mark.parametrize(
    ("id", "failures"),
    [
        ("001/program", [("fit_on_texts", "AttributeError"), ("model.fit", "InvalidArgumentError")]),
        ("003/program", [("model.fit", "ValueError")]),
        ("004/program", []),
    ],
)
def test_a_program_fails_where_it_is_said_to_and_runs_when_repaired(id, failures):
    found = claim(id)
    assert found.verdict == ("not_runnable" if failures else "holds")
    assert len(found.repairs) == len(failures)
    for repair, (call, error) in zip(found.repairs, failures, strict=True):
        assert call in repair["call"] and repair["error"].startswith(error) and repair["what"] and repair["why"]


def test_the_names_that_a_program_lacks_are_found_in_the_order_of_its_calls(monkeypatch):
    import keras

    monkeypatch.setattr(keras.Sequential, "fit", lambda *data, **options: None)  # its result plays no part
    found = claim("002/program")
    assert found.verdict == "not_runnable"
    missing = ["vocab_size", "embedding_size", "x_train", "y_train", "x_test", "decode"]
    assert [repair["error"] for repair in found.repairs] == [f"NameError: name '{x}' is not defined" for x in missing]
    assert all(x in repair["call"] for x, repair in zip(missing, found.repairs, strict=True))


def test_the_pytorch_program_needs_floats_three_times():
    pytest.importorskip("torch")
    found = claim("000/program")
    assert found.verdict == "not_runnable"
    assert [repair["what"].split()[0] for repair in found.repairs] == ["x_train", "y_train", "x_test"]


def test_a_repair_that_is_not_needed_is_not_listed_and_a_failure_without_one_is_raised():
    def program(fixed):
        if "first" not in fixed:
            raise KeyError("a")
        return {"answer": 1}

    repairs = [Repair("first", "do this", "so"), Repair("second", "do that", "so")]
    found = run_repaired(program, repairs)
    assert [repair["what"] for repair in found["repairs"]] == ["do this"] and found["answer"] == 1
    assert found["repairs"][0]["call"] == 'raise KeyError("a")'
    with pytest.raises(KeyError):
        run_repaired(program, repairs[1:])

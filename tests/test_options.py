import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerazoo.errors import KerazooError, OverrideError
from kerazoo.options import check_options, parse_assignments

ACCEPTED = {"units": (512, 512), "dropout": 0.2, "num_classes": 10, "causal": False, "unit": "char", "corpus": None}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("units=64", {"units": (64,)}),
        ("units=64,32", {"units": (64, 32)}),
        ("units=(64, 32)", {"units": (64, 32)}),
        ("dropout=0.5", {"dropout": 0.5}),
        ("dropout=0", {"dropout": 0}),
        ("num_classes=3", {"num_classes": 3}),
        ("causal=true", {"causal": True}),
        ("causal=0", {"causal": False}),
        ("unit=word", {"unit": "word"}),
        ("corpus=a=b.txt", {"corpus": "a=b.txt"}),
    ],
)
def test_text_is_read_by_the_type_of_the_default(text, expected):
    assert parse_assignments([text], ACCEPTED, "it") == expected


@pytest.mark.parametrize(
    "text",
    ["units=", "units=a", "units=1.5", "dropout=x", "dropout=nan()", "num_classes=1.5", "num_classes=True",
     "causal=maybe", "num_classes=0", "num_classes=-3", "nonsense", "=3", "droput=0.1"],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(text):
    with pytest.raises(OverrideError):
        parse_assignments([text], ACCEPTED, "it")


def test_a_wrong_name_gets_the_nearest():
    with pytest.raises(OverrideError, match="no option 'droput'. Did you mean 'dropout'"):
        check_options({"droput": 0.1}, ACCEPTED, "it")


@pytest.mark.parametrize(
    ("name", "value"),
    [("units", "64"), ("units", ()), ("units", (64, 0)), ("units", ("a",)), ("dropout", "0.1"), ("dropout", True),
     ("dropout", float("nan")), ("num_classes", 10.0), ("num_classes", None), ("causal", 1), ("unit", 3),
     ("corpus", 3)],
)  # fmt: skip
def test_a_value_of_the_wrong_type_is_an_override_error_and_a_type_error(name, value):
    with pytest.raises(OverrideError) as caught:
        check_options({name: value}, ACCEPTED, "it")
    assert isinstance(caught.value, (TypeError, ValueError, KerazooError))
    assert name in str(caught.value)


@given(st.lists(st.integers(1, 9999), min_size=1, max_size=5))
def test_a_tuple_of_sizes_survives_its_own_text(sizes):
    text = "units=" + ",".join(map(str, sizes))
    assert parse_assignments([text], ACCEPTED, "it") == {"units": tuple(sizes)}

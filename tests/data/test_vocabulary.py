import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerazoo import DataError, InputError, Vocabulary
from kerazoo.data.vocabulary import UNKNOWN, pad_front

text = st.text(max_size=60)


def test_reviews_lose_case_marks_and_markup():
    vocabulary = Vocabulary.learn(["A good<br /><br />film!!! It's GOOD."], "word")
    assert vocabulary.tokens == ("", UNKNOWN, "good", "a", "film", "it's")
    assert vocabulary.encode("Good, bad.<br>FILM") == [2, 1, 4]
    assert vocabulary.decode([0, 0, 3, 2]) == "a good"


def test_the_most_frequent_words_are_kept_and_ties_do_not_depend_on_order():
    first = Vocabulary.learn(["b a a", "c b a"], "word", size=4)
    assert first.tokens == ("", UNKNOWN, "a", "b")
    assert first == Vocabulary.learn(["c b a", "b a a"], "word", size=4)


@given(text)
def test_characters_come_back_as_they_were(written):
    vocabulary = Vocabulary.learn([written], "char")
    assert vocabulary.decode(vocabulary.encode(written)) == written


@given(text)
def test_what_is_unknown_is_marked(written):
    vocabulary = Vocabulary.learn(["x"], "char")
    assert vocabulary.decode(vocabulary.encode(written)) == "".join("x" if one == "x" else UNKNOWN for one in written)


def test_words_for_a_generator_are_written_as_people_write():
    written = "First Citizen:\nSpeak, speak! 'Tis done (at last)."
    vocabulary = Vocabulary.learn([written], "token")
    assert vocabulary.decode(vocabulary.encode(written)).replace("' ", "'") == written.replace(" '", "'")


@given(st.lists(text, max_size=4), st.sampled_from(["char", "word", "token"]))
def test_a_vocabulary_survives_its_json(texts, unit):
    vocabulary = Vocabulary.learn(texts, unit)
    assert Vocabulary.from_json(vocabulary.to_json()) == vocabulary


@pytest.mark.parametrize(
    "stored",
    ["", "[]", "{}", '{"unit": "word"}', '{"unit": "x", "tokens": ["\ufffd"]}', '{"unit": "char", "tokens": []}'],
)
def test_what_is_no_vocabulary_is_refused(stored):
    with pytest.raises(DataError, match="not a vocabulary"):
        Vocabulary.from_json(stored)


def test_rows_are_padded_and_truncated_at_the_front():
    rows = pad_front([[1, 2, 3], [4], []], 2)
    assert rows.dtype == np.int32
    assert rows.tolist() == [[2, 3], [0, 4], [0, 0]]


def test_an_empty_text_is_one_unknown_word_not_a_row_of_padding():
    assert Vocabulary.learn(["a"], "word").encode_rows(["", "a"], 3).tolist() == [[0, 0, 1], [0, 0, 2]]


def test_ids_outside_and_impossible_sizes_are_refused():
    vocabulary = Vocabulary.learn(["ab"], "char")
    with pytest.raises(DataError, match="outside the vocabulary of 3"):
        vocabulary.decode([7])
    with pytest.raises(InputError, match="no room"):
        Vocabulary.learn(["a"], "word", size=2)
    with pytest.raises(InputError, match="unit='sentence'"):
        Vocabulary.learn(["a"], "sentence")


def test_ids_are_translated_from_one_vocabulary_to_another():
    old, new = Vocabulary.learn(["abc"], "char"), Vocabulary.learn(["cab d"], "char")
    table = new.ids_of(old.tokens)
    assert new.decode(table[old.encode("cba")]) == "cba"
    assert json.loads(new.to_json())["unit"] == "char"

"""Texts of scripts without spaces: what a word is, and reviews and texts in Chinese from file to answer."""

import csv
import itertools
import warnings

import pytest

import kerazoo
from kerazoo.data.vocabulary import is_unspaced
from kerazoo.tasks import find

GOOD = (
    "质量很好",
    "非常满意",
    "物流很快",
    "值得购买",
    "做工精细",
    "性价比高",
    "很喜欢",
    "包装完好",
    "效果不错",
    "推荐大家买",
)
BAD = (
    "质量很差",
    "非常失望",
    "物流太慢",
    "不值得买",
    "做工粗糙",
    "价格太贵",
    "很后悔",
    "包装破损",
    "没有效果",
    "千万别买",
)
THINGS = ("手机", "耳机", "衣服", "鞋子", "书包", "水杯", "键盘", "台灯")


def opinions(phrases, skip):
    """Sentences of two phrases about a thing: other pairs for each `skip`."""
    pairs = list(itertools.permutations(phrases, 2))[skip::2]
    return [f"这个{THINGS[i % len(THINGS)]}{first}，{second}。" for i, (first, second) in enumerate(pairs)]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """A CSV of 80 reviews in Chinese."""
    path = tmp_path_factory.mktemp("chinese") / "reviews.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["text", "label"])
        for good, bad in zip(opinions(GOOD, 0)[:40], opinions(BAD, 0)[:40], strict=True):
            rows.writerows([[good, "好评"], [bad, "差评"]])
    return path


@pytest.mark.parametrize(
    ("text", "unit", "tokens"),
    [
        ("这部电影,真的很好看!", "character", list("这部电影真的很好看")),
        ("iPhone很好, it's 5星", "character", ["iphone", "很", "好", "it's", "5", "星"]),
        ("とても良い", "character", list("とても良い")),
        ("ดีมาก", "character", list("ดีมาก")),
        ("A fine film", "character", ["a", "fine", "film"]),
    ],
)
def test_a_character_of_a_script_without_spaces_is_a_word(text, unit, tokens):
    vocabulary = kerazoo.Vocabulary.learn([text], unit)
    assert vocabulary.split(text) == tokens
    assert vocabulary.padded


@pytest.mark.parametrize(
    ("texts", "told"),
    [(["好看"], True), (["good 看"], True), (["a good film", "好"], False), (["123", ""], False), ([], False)],
)
def test_the_script_is_told_from_the_text(texts, told):
    assert is_unspaced(texts) is told


def test_chinese_words_are_found_by_jieba():
    pytest.importorskip("jieba", exc_type=ImportError)
    words = kerazoo.Vocabulary.learn(["我喜欢这部电影"], "jieba")
    assert words.split("我喜欢这部电影！") == ["我", "喜欢", "这部", "电影"]
    writing = kerazoo.Vocabulary.learn(["我喜欢电影。\n"], "segment")
    assert writing.decode(writing.encode("我喜欢电影。\n")) == "我喜欢电影。\n"


def test_reviews_from_a_table_are_learned_and_new_ones_told(table, tmp_path):
    data = find("imdb").read(table)
    small = {"units": 16, "embedding_dim": 32, "sequence_length": 30, "learning_rate": 0.01, "batch_size": 8}
    result = kerazoo.train("imdb_lstm", data=data, epochs=8, verbose=False, run_dir=tmp_path / "run", **small)
    new = opinions(GOOD, 1)[:20] + opinions(BAD, 1)[:20]
    found = kerazoo.predict(tmp_path / "run" / "model.keras", new)
    right = sum(one.label == label for one, label in zip(found, ["好评"] * 20 + ["差评"] * 20, strict=True))
    assert right >= 36
    assert found[0].words[0].text == "这"
    assert result.data["name"] == "reviews"


def test_a_model_of_another_language_refuses_texts_that_it_cannot_read(table):
    with pytest.raises(kerazoo.DataError, match="knows 0% of the words.*Train a new model"):
        kerazoo.fine_tune("imdb_lstm", find("imdb").read(table), epochs=1, verbose=False)


def test_texts_of_which_a_model_knows_few_words_are_warned_of():
    words = kerazoo.Vocabulary.learn(["a fine film"], "word")
    options = {"sequence_length": 20, "vocab_size": 9}
    with pytest.warns(UserWarning, match=r"knows 17% of the words"):
        find("imdb").dataset((["a fine qq ww ee rr tt zz uu ii oo pp"] * 2, [0, 1]), options, vocabulary=words)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        find("imdb").dataset((["a fine film"] * 2, [0, 1]), options, vocabulary=words)


def test_a_chinese_text_is_gone_on_with():
    text = "".join(opinions(GOOD, 0)) * 3
    result = kerazoo.train("textgen_lstm", data=text, epochs=1, units=8, sequence_length=10, verbose=False)
    written = kerazoo.generate(result.model, "这个", length=20, seed=0)
    assert written.startswith("这个")
    assert len(written) == 22
    assert set(written) <= set(text)


def test_the_unit_of_a_table_can_be_chosen_and_mistaken(table):
    with pytest.raises(kerazoo.DataError, match="unit='tokens'"):
        kerazoo.train("imdb_lstm", data=find("imdb").read(table), epochs=1, unit="tokens", verbose=False)


def test_a_generator_refuses_a_text_of_which_it_knows_no_character():
    with pytest.raises(kerazoo.DataError, match="knows 0%"):
        kerazoo.evaluate("textgen_lstm", data="".join(opinions(GOOD, 0)) * 3)

"""The user's own data: pictures in folders, texts in a table, and what is wrong with them."""

import dataclasses
import pathlib
import re

import numpy as np
import pytest
from PIL import Image, ImageDraw

import kerazoo

ROWS = "id,text,label\n" + "\n".join(f"{i},text number {i},{'good' if i % 2 else 'bad'}" for i in range(40)) + "\n"


@pytest.fixture
def table(tmp_path):
    def write(content):
        path = tmp_path / "texts.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def folder(tmp_path):
    """A folder with strokes that stand and strokes that lie, dark on light, of different sizes."""
    for place in range(12):
        size = 40 + 5 * place
        for name, line in {"standing": (size // 2, 9, size // 2, size - 9), "lying": (9, 20, size - 9, 20)}.items():
            (tmp_path / "strokes" / name).mkdir(parents=True, exist_ok=True)
            picture = Image.new("RGB", (size, size), "white")
            ImageDraw.Draw(picture).line(line, fill="black", width=size // 8)
            picture.save(tmp_path / "strokes" / name / f"{place}.png")
    return tmp_path / "strokes"


def test_a_table_becomes_texts_with_named_classes_and_a_tenth_for_testing(table):
    data = kerazoo.read_csv(table(ROWS))
    assert data.classes == ("bad", "good")
    assert data.sizes == {"train": 36, "test": 4}
    assert (data.name, data.source) == ("texts", "user")
    for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
        assert [int(text.split()[-1]) % 2 for text in x] == y.tolist()
    again, other = kerazoo.read_csv(table(ROWS)), kerazoo.read_csv(table(ROWS), seed=1)
    assert again.x_test.tolist() == data.x_test.tolist() != other.x_test.tolist()
    assert kerazoo.read_csv(table(ROWS), test_split=0).sizes == {"train": 40}


def test_quotes_other_separators_and_a_byte_order_mark_are_read(table):
    content = 'Label;Review\nja;"one; two\nthree"\n\nnein; four \nja;"a ""b"""\n'
    data = kerazoo.read_csv(table(b"\xef\xbb\xbf" + content.encode()), text="Review", label="Label", test_split=0)
    assert data.x_train.tolist() == ["one; two\nthree", "four", 'a "b"']
    assert data.classes == ("ja", "nein") and data.y_train.tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        ("", {}, "is empty"),
        ("text,label\n", {}, "has no rows"),
        (ROWS, {"text": "texts"}, "no column 'texts'. Did you mean 'text'? Columns: id, text, label"),
        (ROWS, {"label": "id"}, "another class in each row"),
        ("text,label\na,x\nb,x\n", {}, "has only 'x'; wanted two or more classes"),
        ("text,label\na,x\n,y\n", {}, "line 3: the column 'text' is empty"),
        ("text,label\na,x\nb\n", {}, "line 3: the column 'label' is empty"),
        ("text,label\na, b,x\nc,y\n", {}, "line 2: more fields than the header"),
        ('text,label\na,x\n"b,y\n', {}, "not a table that can be read"),
        ("text,label\ncafé,x\nb,y\n".encode("latin-1"), {}, "not UTF-8 text (byte 14); save it as UTF-8"),
        ("text,text,label\na,b,x\nc,d,y\n", {}, "has 2 columns 'text'"),
        (ROWS, {"test_split": 1.5}, "test_split=1.5"),
        (ROWS, {"seed": -1}, "seed=-1"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(table, content, options, reason):
    with pytest.raises(kerazoo.InputError, match=re.escape(reason)):
        kerazoo.read_csv(table(content), **options)


def test_a_folder_for_each_class_becomes_pictures_as_in_mnist(folder):
    (folder / "lying" / "notes.txt").write_text("no picture")
    data = kerazoo.read_image_folder(folder)
    assert data.classes == ("lying", "standing") and data.sizes == {"train": 22, "test": 2}
    assert data.x_train.shape == (22, 784) and data.x_train.dtype == np.float32
    assert data.x_train.min() == 0 and data.x_train.max() == 1
    for pixels, label in zip(data.x_train.reshape(-1, 28, 28), data.y_train, strict=True):
        assert (np.ptp(np.nonzero(pixels)[0]) > np.ptp(np.nonzero(pixels)[1])) == label


def test_what_is_wrong_with_a_folder_is_said(folder, tmp_path):
    with pytest.raises(kerazoo.DataError, match="is not a directory"):
        kerazoo.read_image_folder(tmp_path / "gone")
    with pytest.raises(kerazoo.DataError, match="has none; wanted two or more folders"):
        kerazoo.read_image_folder(folder / "lying")
    (folder / "lying" / "13.png").write_text("no picture")
    with pytest.raises(kerazoo.DataError, match="13.png"):
        kerazoo.read_image_folder(folder)
    (folder / "empty").mkdir()
    with pytest.raises(kerazoo.DataError, match="'.*empty' holds no pictures"):
        kerazoo.read_image_folder(folder)


def test_a_folder_that_may_not_be_read_is_told(folder, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(pathlib.Path, "iterdir", refuse)
    with pytest.raises(kerazoo.DataError, match="cannot be read: Permission denied"):
        kerazoo.read_image_folder(folder)


def test_labels_with_gaps_are_numbered_and_others_stay():
    x = np.zeros((6, 3))
    data = kerazoo.Dataset("user", "user", "user", x, np.array([7, 5, 9, 5, 7, 9]), x[:2], np.array([9, 5]))
    numbered = data.numbered(3)
    assert numbered.y_train.tolist() == [1, 0, 2, 0, 1, 2] and numbered.y_test.tolist() == [2, 0]
    assert numbered.classes == ("5", "7", "9")
    assert data.numbered(10) is data
    with pytest.raises(kerazoo.DataError, match="the training labels are 5, 7, 9: wanted 4 different ones"):
        data.numbered(4)


@pytest.mark.parametrize(
    ("y", "reason"), [([], "training split is empty"), ([0, np.inf], "whole numbers"), ([0.5, 1], "whole numbers")]
)
def test_labels_that_cannot_be_numbered_are_told(y, reason):
    with pytest.raises(kerazoo.DataError, match=reason):
        kerazoo.Dataset("user", "user", "user", np.zeros((len(y), 3)), np.array(y)).numbered(2)


def test_classes_are_brought_to_those_of_the_model():
    x = np.zeros((3, 2))
    data = kerazoo.Dataset("user", "user", "user", x, np.array([0, 1, 0]), classes=("b", "d"))
    assert data.with_classes(("a", "b", "c", "d")).y_train.tolist() == [1, 3, 1]
    with pytest.raises(kerazoo.DataError, match="has the class 'd', and the model tells a, b apart"):
        data.with_classes(("a", "b"))
    for wrong in ([0, -1, 0], [0, 1, 2], [0, 0.5, 1], np.eye(3)):
        with pytest.raises(kerazoo.DataError, match="labels"):
            dataclasses.replace(data, y_train=np.array(wrong)).with_classes(("d", "b"))
    whole = dataclasses.replace(data, y_train=np.array([0.0, 1.0, 0.0]))
    assert whole.with_classes(("d", "b")).y_train.tolist() == [1, 0, 1]


@pytest.mark.usefixtures("uncompiled")
def test_a_model_of_text_is_tuned_to_a_table_and_carries_its_classes(table, tmp_path):
    words = ("gut", "schlecht", "mittel")
    rows = "".join(f"der film war {words[i % 3]},{words[i % 3]}\n" for i in range(60))
    data = kerazoo.read_csv(table("text,label\n" + rows))
    sizes = {"vocab_size": 50, "embedding_dim": 4, "units": 4, "sequence_length": 6}
    pair = (["gut", "schlecht der film war mittel"] * 4, [0, 1] * 4)
    model = kerazoo.train("imdb_lstm", data=pair, epochs=1, verbose=False, **sizes).model
    with pytest.raises(kerazoo.DataError, match="give num_classes=3"):
        kerazoo.fine_tune(model, data, epochs=1, verbose=False)
    tuned = kerazoo.fine_tune(model, data, epochs=1, num_classes=3, verbose=False, run_dir=tmp_path / "run").model
    assert tuned.output_shape == (None, 3)
    loaded = kerazoo.load_model(tmp_path / "run" / "model.keras", "imdb_lstm")
    assert kerazoo.evaluate("imdb_lstm", loaded, data=data)["loss"] > 0
    (answer,) = kerazoo.predict("imdb_lstm", ["der film war gut"], model=loaded, explain=False)
    assert set(answer.probabilities) == set(words)

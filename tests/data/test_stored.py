"""The files of TFDS, read without it: checksums, framing, messages and pictures, whole and damaged."""

import io
import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kerazoo
from kerazoo.data import prepared
from kerazoo.data.crc32c import checksums, unmasked
from kerazoo.data.example import parse_example
from kerazoo.data.stored import examples
from kerazoo.data.tfrecord import read_records

quickly = settings(deadline=None, max_examples=60)


def crc32c(content):
    """The checksum by its definition, a bit at a time."""
    value = 0xFFFFFFFF
    for byte in content:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


def masked(content):
    value = crc32c(content)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def framed(records):
    lengths = [struct.pack("<Q", len(record)) for record in records]
    pairs = zip(lengths, records, strict=True)
    return b"".join(length + masked(length) + record + masked(record) for length, record in pairs)


def varint(number):
    number %= 2**64
    groups = [number >> shift & 0x7F for shift in range(0, max(number.bit_length(), 1), 7)]
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def delimited(field, content):
    return varint(field << 3 | 2) + varint(len(content)) + content


def example(packed=True, **values):
    """A tf.train.Example of lists of bytes, floats or ints; `packed` as present writers write them."""
    entries = b""
    for name, given_values in values.items():
        if isinstance(given_values[0], bytes):
            kind, content = 1, b"".join(delimited(1, value) for value in given_values)
        elif isinstance(given_values[0], float):
            kind, each = 2, [struct.pack("<f", value) for value in given_values]
            content = delimited(1, b"".join(each)) if packed else b"".join(varint(1 << 3 | 5) + one for one in each)
        else:
            kind, each = 3, [varint(value) for value in given_values]
            content = delimited(1, b"".join(each)) if packed else b"".join(varint(1 << 3) + one for one in each)
        entries += delimited(1, delimited(1, name.encode()) + delimited(2, delimited(kind, content)))
    return delimited(1, entries)


def png(pixels):
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return file.getvalue()


@pytest.fixture
def digits(tmp_path):
    """A directory in TFDS layout with four pictures in two shards; returns it, its folder and the pictures."""
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (4, 28, 28)).astype(np.uint8)
    folder = tmp_path / "mnist" / "3.0.1"
    folder.mkdir(parents=True)
    records = [example(image=[png(picture)], label=[place]) for place, picture in enumerate(pictures)]
    for shard, part in enumerate((records[:3], records[3:])):
        for split in ("train", "test"):
            folder.joinpath(f"mnist-{split}.tfrecord-{shard:05d}-of-00002").write_bytes(framed(part))
    splits = [{"name": split, "shardLengths": ["3", "1"]} for split in ("train", "test")]
    folder.joinpath("dataset_info.json").write_text(json.dumps({"name": "mnist", "splits": splits}))
    where = "tensorflow_datasets.core.features"
    features = {
        "image": {"pythonClassName": f"{where}.image_feature.Image"},
        "label": {"pythonClassName": f"{where}.class_label_feature.ClassLabel"},
    }
    folder.joinpath("features.json").write_text(json.dumps({"featuresDict": {"features": features}}))
    return tmp_path, folder, pictures


@quickly
@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8), st.binary(max_size=70))
def test_checksums_of_many_pieces_are_those_of_the_definition(pieces, before):
    data = np.frombuffer(before + b"".join(pieces), np.uint8)
    lengths = np.array([len(piece) for piece in pieces])
    found = checksums(data, len(before) + np.cumsum(lengths) - lengths, lengths)
    assert found.tolist() == [crc32c(piece) for piece in pieces]


def test_checksums_are_the_published_ones():
    data = np.frombuffer(b"123456789" + bytes(32) + b"\xff" * 32, np.uint8)
    found = checksums(data, [0, 9, 41, 5], [9, 32, 32, 0])
    assert found.tolist() == [0xE3069283, 0x8A9136AA, 0x62A8AB43, 0]  # RFC 3720, appendix B.4
    assert checksums(data[:0], [], []).tolist() == []


def test_a_long_record_has_the_checksum_of_its_halves(tmp_path):
    content = np.random.default_rng(0).integers(0, 256, 20_000).astype(np.uint8).tobytes()
    assert checksums(np.frombuffer(content, np.uint8), [0], [len(content)]).tolist() == [crc32c(content)]
    assert unmasked([int.from_bytes(masked(content), "little")]).tolist() == [crc32c(content)]


@quickly
@given(st.lists(st.binary(max_size=200), max_size=6))
def test_records_come_back_as_written(tmp_path_factory, records):
    path = tmp_path_factory.mktemp("records") / "some.tfrecord"
    path.write_bytes(framed(records))
    assert read_records(path) == records


@quickly
@given(st.data())
def test_any_damage_to_a_file_is_noticed_in_one_line(tmp_path_factory, data):
    content = bytearray(framed([b"one", b"", b"a third record, which is longer" * 4]))
    kind = data.draw(st.sampled_from(["flip", "cut", "more"]))
    if kind == "flip":
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    elif kind == "cut":  # an end between two records is told by their number
        ends = {0, 19, 35}
        content = content[: data.draw(st.integers(1, len(content) - 1).filter(lambda end: end not in ends))]
    else:
        content += data.draw(st.binary(min_size=1, max_size=11))
    path = tmp_path_factory.mktemp("records") / "some.tfrecord"
    path.write_bytes(content)
    with pytest.raises(kerazoo.DataError, match="damaged") as caught:
        read_records(path)
    assert "\n" not in str(caught.value) and str(path) in str(caught.value)


NUMBERS = st.one_of(
    st.lists(st.binary(max_size=40), min_size=1, max_size=3),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3),
    st.lists(st.floats(width=32, allow_nan=False), min_size=1, max_size=3),
)


@quickly
@given(st.dictionaries(st.text(max_size=8), NUMBERS, max_size=3), st.booleans())
def test_an_example_comes_back_as_written(values, packed):
    assert parse_example(example(packed, **values)) == values


@quickly
@given(st.binary(max_size=60))
def test_bytes_that_are_no_example_are_refused_or_empty(content):
    try:
        assert isinstance(parse_example(content), dict)
    except kerazoo.DataError as error:
        assert "tf.train.Example" in str(error)


def test_pictures_and_labels_come_from_all_shards_in_order(digits):
    root, folder, pictures = digits
    found = list(examples(folder, "train"))
    assert [one["label"] for one in found] == [0, 1, 2, 3]
    assert np.array_equal(np.stack([one["image"] for one in found]), pictures[..., None])
    data = kerazoo.load_data("mnist_mlp", data_dir=root, source="tfds")
    assert np.array_equal(data.x_test, pictures.reshape(4, 784) / np.float32(255))


def spoil(folder, how):
    info, features = folder / "dataset_info.json", folder / "features.json"
    shard = folder / "mnist-train.tfrecord-00000-of-00002"
    if how == "missing":
        shard.unlink()
    elif how == "swapped":
        shard.write_bytes(folder.joinpath("mnist-train.tfrecord-00001-of-00002").read_bytes())
    elif how == "no picture":
        shard.write_bytes(framed([example(image=[b"\x89PNG"], label=[0])] * 3))
    elif how == "no label":
        shard.write_bytes(framed([example(image=[png(np.zeros((28, 28), np.uint8))])] * 3))
    elif how == "no example":
        shard.write_bytes(framed([b"\xff\xff"] * 3))
    elif how == "format":
        info.write_text(json.dumps({**json.loads(info.read_text()), "fileFormat": "array_record"}))
    elif how == "feature":
        features.write_text(features.read_text().replace("image_feature.Image", "video_feature.Video"))
    elif how == "json":
        features.write_text("{")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("missing", "No such file"),
        ("swapped", "holds 1 examples; wanted 3"),
        ("no picture", "record 1: not as features.json says"),
        ("no label", "record 1: not as features.json says"),
        ("no example", "not a tf.train.Example"),
        ("format", "array_record"),
        ("feature", "Video"),
        ("json", "no JSON"),
    ],
)
def test_a_data_set_that_cannot_be_read_says_why_in_one_line(digits, how, reason):
    root, folder, _ = digits
    spoil(folder, how)
    with pytest.raises(kerazoo.UnavailableError, match=reason) as caught:
        list(prepared.find("mnist", root).read("train"))
    assert "\n" not in str(caught.value)


@pytest.mark.tensorflow
def test_what_tensorflow_writes_is_read(tmp_path):
    tf = pytest.importorskip("tensorflow")
    train = tf.train
    values = {"text": [b"one", b""], "label": [-3, 2**40], "share": [0.5, -2.0]}
    feature = {
        "text": train.Feature(bytes_list=train.BytesList(value=values["text"])),
        "label": train.Feature(int64_list=train.Int64List(value=values["label"])),
        "share": train.Feature(float_list=train.FloatList(value=values["share"])),
    }
    record = train.Example(features=train.Features(feature=feature)).SerializeToString()
    path = str(tmp_path / "some.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for one in (record, b"", b"x" * 70_000):
            writer.write(one)
    assert read_records(Path(path)) == [record, b"", b"x" * 70_000]
    assert parse_example(record) == values


@pytest.mark.real_data
@pytest.mark.tensorflow
@pytest.mark.parametrize(
    ("name", "splits"),
    [
        ("mnist", {"train": 2_000, "test": 10_000}),
        ("imdb_reviews/plain_text", {"train": 2_000, "test": 25_000}),
        ("tiny_shakespeare", {"train": 1, "validation": 1, "test": 1}),
    ],
)
def test_examples_are_those_that_tfds_reads(name, splits):
    """Of each test split; of a training split, whose format is the same, the first ones."""
    tfds = pytest.importorskip("tensorflow_datasets")
    found = prepared.find(name, prepared.data_root(os.environ["TFDS_DATA_DIR"]))
    builder = tfds.builder(f"{name}:{found.version}", data_dir=found.root)
    config = tfds.ReadConfig(interleave_cycle_length=1)
    for split, count in splits.items():
        part = f"{split}[:{count}]"
        batches = builder.as_dataset(split=part, read_config=config, batch_size=1000).as_numpy_iterator()
        own = found.read(split)
        for batch in batches:
            for place in range(len(next(iter(batch.values())))):
                one = next(own)
                assert sorted(one) == sorted(batch)
                assert all(np.array_equal(one[key], batch[key][place]) for key in one)
                assert all(getattr(one[key], "dtype", None) == getattr(batch[key][place], "dtype", None) for key in one)
        assert (next(own, None) is None) == (count == builder.info.splits[split].num_examples)


def test_where_tfds_is_not_installed_what_is_missing_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(prepared.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(kerazoo.UnavailableError, match="not installed"):
        kerazoo.load_data("mnist_mlp", data_dir=tmp_path, source="tfds")
    with pytest.warns(kerazoo.SampleDataWarning, match="not installed"):
        assert kerazoo.load_data("mnist_mlp", data_dir=tmp_path).source == "sample"

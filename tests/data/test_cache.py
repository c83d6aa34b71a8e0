import contextlib
import multiprocessing
import os

import numpy as np
import pytest

from kerazoo.data.cache import cache_dir, cached
from kerazoo.files import remove


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAZOO_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def arrays():
    return {"x": np.arange(1000, dtype=np.int32), "text": np.frombuffer(b"abc", np.uint8)}


def refuse():
    raise AssertionError("made anew")


def test_the_second_time_comes_from_disk(own_cache):
    cached("set", {"a": 1}, arrays)
    again = cached("set", {"a": 1}, refuse)
    assert again["x"].dtype == np.int32
    assert again["x"].tolist() == list(range(1000))
    assert again["text"].tobytes() == b"abc"
    assert len(list(own_cache.iterdir())) == 1


def test_what_is_written_to_an_array_stays_out_of_the_cache(own_cache):
    cached("set", {}, arrays)
    cached("set", {}, refuse)["x"][:] = 7
    assert cached("set", {}, refuse)["x"].tolist() == list(range(1000))


@pytest.mark.parametrize("other", [{"a": 2}, {"a": 1, "b": 0}, {}])
def test_another_key_is_another_entry(own_cache, other):
    cached("set", {"a": 1}, arrays)
    with pytest.raises(AssertionError):
        cached("set", other, refuse)


@pytest.mark.parametrize("file", ["x.npy", "text.npy", "manifest.json"])
@pytest.mark.parametrize("damage", ["truncate", "flip", "empty", "text", "missing"])
def test_a_damaged_entry_is_said_and_made_anew(own_cache, damage, file):
    cached("set", {}, arrays)
    (entry,) = own_cache.iterdir()
    content = bytearray((entry / file).read_bytes())
    content[-2] ^= 0xFF if damage == "flip" else 0
    damaged = {"truncate": content[:-2], "flip": content, "empty": b"", "text": b"no array"}
    if damage == "missing":
        (entry / file).unlink()
    else:
        (entry / file).write_bytes(damaged[damage])
    absent = damage == "missing" and file == "manifest.json"  # then nothing says that it was an entry
    with contextlib.nullcontext() if absent else pytest.warns(RuntimeWarning, match="damaged"):
        assert cached("set", {}, arrays)["x"].tolist() == list(range(1000))
    assert cached("set", {}, refuse)["x"][-1] == 999


@pytest.mark.parametrize("place", range(0, 128, 3))
def test_a_flipped_bit_of_a_header_is_found(own_cache, place):
    cached("set", {}, arrays)
    (entry,) = own_cache.iterdir()
    content = bytearray((entry / "x.npy").read_bytes())
    content[place] ^= 4
    (entry / "x.npy").write_bytes(content)
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert cached("set", {}, arrays)["x"].tolist() == list(range(1000))
    assert cached("set", {}, refuse)["x"].dtype == np.int32


@pytest.mark.parametrize("manifest", ["[]", "3", "null", "{}", '{"x": 1}', '{"x": null, "text": "1"}', "[" * 100_000])
def test_a_manifest_of_another_form_is_damage(own_cache, manifest):
    cached("set", {}, arrays)
    (entry,) = own_cache.iterdir()
    (entry / "manifest.json").write_text(manifest)
    with pytest.warns(RuntimeWarning, match="damaged"):
        assert cached("set", {}, arrays)["x"][-1] == 999
    assert cached("set", {}, refuse)["x"][-1] == 999


@pytest.mark.parametrize("name", ["", "manifest.json", "x.npy"])
def test_a_file_and_a_directory_that_have_changed_places_are_damage(own_cache, name):
    cached("set", {}, arrays)
    (entry,) = own_cache.iterdir()
    remove(entry / name)
    (entry / name).mkdir() if name else entry.write_text("")
    with pytest.warns(RuntimeWarning, match="damaged") if name else contextlib.nullcontext():
        assert cached("set", {}, arrays)["x"][-1] == 999
    assert cached("set", {}, refuse)["x"][-1] == 999


def test_a_cache_that_cannot_be_written_does_no_harm(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAZOO_CACHE_DIR", str(tmp_path / "file"))
    with pytest.warns(RuntimeWarning, match="not kept"):
        assert cached("set", {}, arrays)["x"][1] == 1


def test_nothing_is_left_when_writing_fails(own_cache, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "save", full)
    with pytest.warns(RuntimeWarning, match="No space left"):
        cached("set", {}, arrays)
    assert list(own_cache.iterdir()) == []


def _load_many(directory, results):
    os.environ["KERAZOO_CACHE_DIR"] = directory
    for _ in range(20):
        results.put(int(cached("set", {}, arrays)["x"].sum()))


def test_two_processes_at_once(own_cache):
    context = multiprocessing.get_context("spawn")
    results = context.Queue()
    workers = [context.Process(target=_load_many, args=(str(own_cache), results)) for _ in range(2)]
    for worker in workers:
        worker.start()
    sums = [results.get(timeout=60) for _ in range(40)]
    for worker in workers:
        worker.join()
    assert set(sums) == {499500}
    assert len(list(own_cache.iterdir())) == 1


def test_the_users_cache_directory_is_the_default(monkeypatch):
    monkeypatch.delenv("KERAZOO_CACHE_DIR")
    assert cache_dir().name == "kerazoo"

import errno
import os
import time

import pytest

from kerazoo.files import (
    check_archive,
    open_file,
    read_bytes,
    read_json,
    remove_leftovers,
    try_writing,
    whole_file,
    write_text,
)


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


def test_a_file_is_read_up_to_a_size(tmp_path):
    (tmp_path / "file").write_bytes(b"12345")
    assert read_bytes(tmp_path / "file", 5) == b"12345"
    with pytest.raises(OSError, match="at most 0.0 MB are read"):
        read_bytes(tmp_path / "file", 4)


@pytest.mark.parametrize(("path", "says"), [("/dev/zero", "a device"), ("/proc/self", "directory")])
def test_what_is_no_file_is_not_read(path, says):
    with pytest.raises(OSError) as caught:
        read_bytes(path)
    assert says in caught.value.strerror
    assert caught.value.filename == path


def test_a_file_that_tells_no_size_is_not_read_beyond_the_limit():
    with pytest.raises(OSError, match="it has more than"):
        read_bytes("/proc/self/status", 10)


def test_a_pipe_is_read_only_where_it_may_be_one(pipe):
    with pytest.raises(OSError, match="a pipe"):
        open_file(pipe)  # would wait for a writer for ever
    reader, writer = os.pipe()
    os.write(writer, b"text")
    os.close(writer)
    assert read_bytes(f"/dev/fd/{reader}", pipe=True) == b"text"
    os.close(reader)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff", b"[" * 200_000])
def test_what_is_no_json_is_a_value_error(content, tmp_path):
    (tmp_path / "file.json").write_bytes(content)
    with pytest.raises(ValueError):
        read_json(tmp_path / "file.json")


def test_what_a_dead_writer_left_goes_with_the_next_file(tmp_path):
    for name in ("old", "new"):
        (tmp_path / f".writing-{name}.json").write_text("")
        (tmp_path / f".writing-folder-{name}").mkdir()
    day_ago = time.time() - 25 * 3600
    for name in (".writing-old.json", ".writing-folder-old"):
        os.utime(tmp_path / name, (day_ago, day_ago))
    write_text(tmp_path / "file", "text")
    assert sorted(one.name for one in tmp_path.iterdir()) == [".writing-folder-new", ".writing-new.json", "file"]


def test_leftovers_elsewhere_are_no_matter(tmp_path):
    remove_leftovers(tmp_path / "missing")


def test_a_disk_that_is_too_small_is_found_out(tmp_path, monkeypatch):
    try_writing(tmp_path / "new", 3 * 2**20)

    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def write(self, content):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("kerazoo.files.tempfile.TemporaryFile", lambda **_: Full())
    with pytest.raises(OSError, match="No space left"):
        try_writing(tmp_path / "new", 1)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_names_the_file(tmp_path):
    with pytest.raises(OSError) as caught, whole_file(tmp_path / "file"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert caught.value.filename == str(tmp_path / "file")


def test_an_archive_is_measured_by_its_directory():
    class Member:
        def __init__(self, filename, file_size):
            self.filename, self.file_size = filename, file_size

    class Archive:
        def __init__(self, *members):
            self.infolist = lambda: members

    check_archive(Archive(Member("a", 10**9), Member("b.json", 1000)), 10**9)
    with pytest.raises(OSError, match=r"unpacks from 5.0 MB to 3.0 GB"):
        check_archive(Archive(Member("a", 3 * 10**9)), 5 * 10**6)
    with pytest.raises(OSError, match="JSON"):
        check_archive(Archive(Member("b.json", 10**9)), 10**9)


def test_a_link_stays_a_link_and_a_pipe_a_pipe(tmp_path):
    target, link, pipe = (tmp_path / name for name in ("target.txt", "link.txt", "pipe.txt"))
    target.write_text("old")
    link.symlink_to(target)
    os.mkfifo(pipe)
    write_text(link, "new")
    assert link.is_symlink() and target.read_text() == "new"
    with pytest.raises(OSError, match="not a regular file"):
        write_text(pipe, "new")
    assert pipe.is_fifo()

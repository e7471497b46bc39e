"""A file is written whole, where its name leads."""

import os
import threading

import pytest

from suffice.runtime.files import write_whole


def test_a_link_stays_one_and_its_file_is_written(tmp_path):
    (tmp_path / "there").mkdir()
    file, link = tmp_path / "there" / "file", tmp_path / "link"
    link.symlink_to(file)
    for text in ("new", "newer"):
        assert write_whole(link, text) == link
        assert link.is_symlink()
        assert file.read_text() == text
    assert os.listdir(file.parent) == ["file"]


def test_a_pipe_is_written_to(tmp_path):
    pipe, read = tmp_path / "pipe", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    write_whole(pipe, "text")
    reader.join(10)
    assert read == ["text"]
    assert pipe.is_fifo()
    assert os.listdir(tmp_path) == ["pipe"]


def test_a_name_may_be_as_long_as_the_system_lets_it(tmp_path):
    path = tmp_path / ("x" * 255)
    write_whole(path, "text")
    assert path.read_text() == "text"
    with pytest.raises(OSError, match="too long"):
        write_whole(tmp_path / ("x" * 256), "text")
    assert os.listdir(tmp_path) == [path.name]

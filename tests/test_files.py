"""Files that are written whole, and what is not a regular file."""

import os
import time

import pytest

import files


@pytest.fixture
def folder(tmp_path):
    """A folder with something that is not a regular file, of each kind."""
    (tmp_path / "target").write_text("theirs")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "dangling").symlink_to("missing")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    return tmp_path


@pytest.mark.parametrize("name", ["link", "dangling", "pipe", "folder"])
def test_only_a_regular_file_is_replaced(folder, name):
    before = (folder / name).lstat()
    with pytest.raises(OSError):
        files.write_whole(folder / name, "ours")
    assert os.path.samestat((folder / name).lstat(), before)
    assert (folder / "target").read_text() == "theirs"
    assert not [*folder.glob(f"{files.SCRATCH}*")]


def test_a_file_is_replaced_though_another_name_keeps_its_contents(folder):
    os.link(folder / "target", folder / "copy")
    files.write_whole(folder / "target", b"ours")
    assert (folder / "target").read_text() == "ours"
    assert (folder / "copy").read_text() == "theirs"


@pytest.mark.parametrize("name", ["pipe", "folder"])
def test_only_a_regular_file_is_read(folder, name):
    with pytest.raises(OSError) as error:
        files.read_regular(folder / name)
    assert error.value.strerror and name in str(error.value)


def test_a_file_is_read_through_a_link(folder):
    assert files.read_regular(folder / "link") == b"theirs"


def test_a_scratch_folder_is_removed_unless_it_was_renamed(tmp_path):
    with files.scratch_folder(tmp_path) as scratch:
        assert scratch.is_dir()
    assert not [*tmp_path.iterdir()]
    with files.scratch_folder(tmp_path) as scratch:
        scratch.rename(tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_scratch_folders_of_killed_processes_are_removed_and_no_others(tmp_path, folder):
    abandoned, new = (tmp_path / f"{files.SCRATCH}{name}" for name in ("abandoned", "new"))
    link = tmp_path / f"{files.SCRATCH}link"
    link.symlink_to(folder / "folder")
    long_ago = time.time() - 2 * files.ABANDONED
    with files.scratch_folder(tmp_path) as held:
        for path in (abandoned, new):
            path.mkdir()
            (path / "file").touch()
        for path in (abandoned, held):
            os.utime(path, (long_ago, long_ago))
        with files.scratch_folder(tmp_path):
            assert held.exists() and new.exists() and link.is_symlink()
            assert not abandoned.exists()

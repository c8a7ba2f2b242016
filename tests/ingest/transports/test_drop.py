"""When a file in a folder is whole, whose verdict lies beside it, and how much of it is read."""

import os
import time
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from ingest.transports import drop
from ingest.transports.drop import DropFolder
from ingest.transports.ports import DropUnavailable, UnreadableFile

LATER = datetime(2100, 1, 1, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    return DropFolder("sftp", tmp_path, 100, are_letters=True)


@pytest.mark.parametrize(
    ("age", "renamed_after", "size", "is_whole"),
    [
        (60.0, 0, 5, True), (59.9, 0, 5, False), (2.0, 1, 5, True), (1.9, 1, 5, False),
        (2.0, -1, 5, False), (60.0, -1, 5, True), (2.0, 1, 0, False), (2.0, 1, 1, True),
        (60.0, 1, 0, True), (-5.0, 1, 5, False),
    ],
)  # fmt: skip
def test_a_file_is_whole_when_it_rested_or_was_renamed(age, renamed_after, size, is_whole):
    changed = 10**9
    found = SimpleNamespace(
        st_ctime=changed / 10**9, st_ctime_ns=changed, st_mtime_ns=changed - renamed_after,
        st_size=size,
    )  # fmt: skip
    assert drop._is_whole(found, changed / 10**9 + age) is is_whole


@pytest.mark.parametrize(
    ("name", "is_taken"),
    [
        ("a.xml", True), (".a.xml", False), ("a.xml~", False), ("a.part", False), ("a.TMP", False),
        ("a.xml.filepart", False), ("a.parts", True), ("part", True), ("a.verdict.json", False),
        ("a.xml.verdict-12.xml", False), ("a.xml.verdict-1.xlsx", False), ("a.verdict.pdf", True),
        ("a.verdict-x.xml", True), ("a.VERDICT.json", True), ("verdict.json", True),
    ],
)  # fmt: skip
def test_names_of_halves_and_of_verdicts_are_passed_over(folder, tmp_path, name, is_taken):
    (tmp_path / name).write_bytes(b"x")
    assert [one.name for one in folder.files(LATER)] == [name] * is_taken


def test_files_come_in_the_order_of_their_last_change_and_then_of_their_names(folder, tmp_path):
    for name, at in (("a", 3), ("c", 1), ("b", 1), ("d", 2)):
        (tmp_path / name).write_bytes(name.encode() * at)
        os.utime(tmp_path / name, (0, at))
    (tmp_path / "folder").mkdir()
    files = folder.files(LATER)
    assert [(one.name, one.size) for one in files] == [("b", 1), ("c", 1), ("d", 2), ("a", 3)]
    assert folder.files(datetime(2000, 1, 1, tzinfo=UTC)) == []
    assert all(one.key.startswith(f"{tmp_path}/{one.name}@") for one in files)


@pytest.mark.parametrize(("later", "is_told"), [(1, True), (0, False), (-1, False)])
def test_a_verdict_is_of_the_file_when_it_is_the_younger_one(folder, tmp_path, later, is_told):
    path = tmp_path / "a.xml"
    path.write_bytes(b"x")
    verdict = tmp_path / "a.xml.verdict.json"
    verdict.write_bytes(b"{}")
    os.utime(verdict, ns=(0, path.stat().st_ctime_ns + later))
    assert folder.files(LATER) == [] if is_told else len(folder.files(LATER)) == 1


def test_only_a_plain_file_is_a_verdict(folder, tmp_path):
    (tmp_path / "a.xml").write_bytes(b"x")
    (tmp_path / "other").write_bytes(b"{}")
    (tmp_path / "a.xml.verdict.json").symlink_to(tmp_path / "other")
    assert [one.name for one in folder.files(LATER)] == ["a.xml", "other"]


@pytest.mark.parametrize(
    ("name", "size", "are_letters", "kept", "file_name"),
    [
        ("a.xml", 100, True, 100, "a.xml"), ("a.xml", 101, True, 0, "a.xml"),
        ("a.EML", 100, True, 100, ""), ("a.eml", 101, True, 101, ""),
        ("a.eml", 2**20 + 1, True, 2**20, ""), ("a.eml", 100, False, 100, "a.eml"),
        ("a.eml", 101, False, 0, "a.eml"), ("a.xml", 0, True, 0, "a.xml"),
    ],
)  # fmt: skip
def test_of_a_large_letter_its_header_is_read_and_of_a_large_file_nothing(
    tmp_path, name, size, are_letters, kept, file_name
):
    (tmp_path / name).write_bytes(b"x" * size)
    folder = DropFolder("sftp", tmp_path, 100, are_letters=are_letters)
    (dropped,) = folder.files(LATER)
    raw = folder.take(dropped)
    assert (raw.content, raw.size, raw.file_name) == (b"x" * kept, size, file_name)
    assert raw.header_only is (size > 100)
    assert raw.arrival.source == "drop sftp"
    assert raw.received_at == datetime.fromtimestamp((tmp_path / name).stat().st_ctime, UTC)


def test_a_file_that_is_gone_or_another_one_by_now_is_not_taken(folder, tmp_path):
    path = tmp_path / "a.xml"
    path.write_bytes(b"x")
    (dropped,) = folder.files(LATER)
    path.write_bytes(b"xy")
    assert folder.take(dropped) is None
    path.unlink()
    assert folder.take(dropped) is None
    path.mkdir()
    with pytest.raises(UnreadableFile, match="no plain file"):
        folder.take(dropped)
    path.rmdir()
    path.symlink_to(tmp_path)
    with pytest.raises(UnreadableFile, match="symbolic link"):
        folder.take(dropped)


def test_files_are_put_back_as_they_lie_there_a_link_too(folder, tmp_path):
    (tmp_path / "a.xml").write_bytes(b"x")
    (tmp_path / "link.xml").symlink_to(tmp_path / "a.xml")
    keys = {one.key for one in folder.files(LATER)}
    assert len(keys) == 2
    (tmp_path / "a.xml.verdict.json").write_bytes(b"{}")
    opened = []
    assert folder.put_back({*keys, "gone"}, lambda found: opened.append(set(found))) == keys
    assert opened == [keys]
    assert not (tmp_path / "a.xml.verdict.json").exists()
    # With nothing found nothing is told.
    assert folder.put_back({"gone"}, opened.append) == set()
    assert opened == [keys]


def test_a_verdict_that_cannot_be_laid_or_removed_is_a_fault_of_the_folder(folder, tmp_path):
    folder.lay("a.xml", {".verdict.json": b"{}", ".verdict-1.xml": b"<a/>"})
    laid = tmp_path / "a.xml.verdict.json"
    assert (laid.read_bytes(), laid.stat().st_mode & 0o777) == (b"{}", 0o640)
    assert (tmp_path / "a.xml.verdict-1.xml").read_bytes() == b"<a/>"
    (tmp_path / "b.xml").write_bytes(b"x")
    (tmp_path / "b.xml.verdict.json").mkdir()
    with pytest.raises(DropUnavailable, match=r"b.xml.verdict.json cannot be written: .*directory"):
        folder.lay("b.xml", {".verdict.json": b"{}"})
    keys = [one.key for one in folder.files(LATER) if one.name == "b.xml"]
    with pytest.raises(DropUnavailable, match=f"{tmp_path}: "):
        folder.put_back(keys, lambda _: None)


def test_a_folder_that_is_none_is_told_with_what_to_do(tmp_path):
    folder = DropFolder("sftp", tmp_path / "missing", 100, are_letters=True)
    with pytest.raises(DropUnavailable, match="is not there, or cannot be") as told:
        folder.files(LATER)
    assert told.value.advice.startswith("make it")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "file").chmod(0o700)
    with pytest.raises(DropUnavailable, match="Not a directory"):
        DropFolder("sftp", tmp_path / "file", 100, are_letters=True).files(LATER)


def test_a_file_is_taken_a_minute_after_it_was_written(folder, tmp_path):
    (tmp_path / "a.xml").write_bytes(b"x")
    changed = (tmp_path / "a.xml").stat().st_ctime
    assert folder.files(datetime.fromtimestamp(time.time(), UTC)) == []
    assert folder.files(datetime.fromtimestamp(changed + 59, UTC)) == []
    assert len(folder.files(datetime.fromtimestamp(changed + 61, UTC))) == 1

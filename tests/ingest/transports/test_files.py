"""Letters from files: .eml, folders of them, Maildir, mbox, each with its moment."""

import mailbox
import os
from datetime import UTC, datetime

import pytest

from ingest.transports.files import LettersInFiles, NoLettersError
from storage.records.letters import Location
from tests.fakes import mail

GIVEN = datetime(2026, 11, 3, 10, 0, tzinfo=UTC)
DELIVERED = datetime(2026, 11, 1, 9, 15, tzinfo=UTC)


def letters(path, at=GIVEN, letter_bytes=1 << 20):
    box = LettersInFiles(path, at, letter_bytes)
    fetched = [raw for batch in box.fetch(box.all_keys) for raw in batch]
    assert [raw.arrival.key for raw in fetched] == list(box.all_keys)
    places = [Location.of(raw.arrival.source, raw.arrival.key) for raw in fetched]
    assert {(place.mailbox, place.folder) for place in places} == {("files", str(path.resolve()))}
    assert [place.uid for place in places] == list(range(1, len(fetched) + 1))
    return [(box.name_of(raw.arrival.key), raw) for raw in fetched]


def test_an_eml_is_one_letter_received_when_we_are_told(tmp_path):
    path = tmp_path / "a.eml"
    path.write_bytes(mail("Показания"))
    [(source, raw)] = letters(path)
    assert source == "a.eml"
    assert (raw.content, raw.received_at) == (mail("Показания"), GIVEN)


def test_without_a_moment_it_is_received_now(tmp_path):
    path = tmp_path / "a.eml"
    path.write_bytes(mail("a"))
    before = datetime.now(UTC)
    [(_, raw)] = letters(path, at=None)
    assert before <= raw.received_at <= datetime.now(UTC)


def test_a_folder_gives_its_letters_by_name_whatever_their_endings_case(tmp_path):
    for name in ("b.eml", "a.EML", "notes.txt", "z.eml.expected.json"):
        (tmp_path / name).write_bytes(mail(name))
    (tmp_path / "c.eml").mkdir()
    assert [source for source, _ in letters(tmp_path)] == ["a.EML", "b.eml"]


def test_a_maildir_tells_when_each_letter_was_delivered(tmp_path):
    box = mailbox.Maildir(tmp_path / "Maildir")
    for name in ("one", "two"):
        message = mailbox.MaildirMessage(mail(name))
        key = box.add(message)
        os.utime(tmp_path / "Maildir" / "new" / key, (0, DELIVERED.timestamp()))
    found = letters(tmp_path / "Maildir")
    assert len(found) == 2
    assert {raw.received_at for _, raw in found} == {DELIVERED}
    assert all(source.startswith("Maildir/") for source, _ in found)


def test_a_maildirs_read_letters_count_too(tmp_path):
    mailbox.Maildir(tmp_path / "Maildir")
    (tmp_path / "Maildir" / "cur" / "1.host:2,S").write_bytes(mail("read"))
    [(source, raw)] = letters(tmp_path / "Maildir")
    assert source == "Maildir/1.host"
    assert raw.content == mail("read")


MBOX = b"".join(
    b"From a@b.example Sun Nov  1 09:15:0%d 2026\n" % second
    + mail(f"letter {second}").replace(b"\r\n", b"\n")
    + b"\n"
    for second in range(3)
)


def test_an_mbox_tells_when_each_letter_was_delivered(tmp_path):
    path = tmp_path / "letters.mbox"
    path.write_bytes(MBOX)
    found = letters(path)
    assert [source for source, _ in found] == [f"letters.mbox#{n}" for n in (1, 2, 3)]
    assert [raw.received_at.second for _, raw in found] == [0, 1, 2]
    assert found[0][1].received_at == DELIVERED
    assert found[1][1].content == mail("letter 1").replace(b"\r\n", b"\n")


def test_an_mbox_with_crlf_is_read_alike(tmp_path):
    path = tmp_path / "letters.mbox"
    path.write_bytes(MBOX.replace(b"\n", b"\r\n"))
    found = letters(path)
    assert [raw.content for _, raw in found] == [mail(f"letter {n}") for n in range(3)]
    assert found[0][1].received_at == DELIVERED


def test_an_mbox_needs_no_ending_to_be_known(tmp_path):
    path = tmp_path / "inbox"
    path.write_bytes(MBOX)
    assert len(letters(path)) == 3


def test_a_text_that_begins_with_from_does_not_cut_a_letter_of_an_mbox(tmp_path):
    path = tmp_path / "inbox"
    text = b"\nFrom 1 November on we send the readings ourselves.\n\nFrom us\n"
    path.write_bytes(MBOX + text)
    found = letters(path)
    assert len(found) == 3
    assert found[-1][1].content.endswith(text[:-1])


def test_an_mbox_whose_delivery_cannot_be_read_counts_as_received_when_told(tmp_path):
    path = tmp_path / "inbox"
    path.write_bytes(b"From nobody knows when\n" + mail("a"))
    [(_, raw)] = letters(path)
    assert raw.received_at == GIVEN


@pytest.mark.parametrize("ending", [b"\r\n", b"\n"])
def test_of_a_letter_over_the_limit_only_the_header_is_handed_on(tmp_path, ending):
    path = tmp_path / "a.eml"
    content = (mail("large") + b"x" * 5000).replace(b"\r\n", ending)
    path.write_bytes(content)
    [(_, raw)] = letters(path, letter_bytes=1000)
    assert raw.header_only
    assert raw.size == len(content)
    assert raw.content == content.partition(ending * 2)[0] + ending
    [(_, whole)] = letters(path, letter_bytes=len(content))
    assert (whole.header_only, whole.content) == (False, content)


@pytest.mark.parametrize("name", ["absent.eml", "empty"])
def test_a_path_without_letters_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoLettersError, match=name):
        LettersInFiles(tmp_path / name, None, 1000)


def test_letters_come_in_batches(tmp_path):
    for number in range(120):
        (tmp_path / f"{number:03}.eml").write_bytes(mail(f"{number}"))
    box = LettersInFiles(tmp_path, GIVEN, 1000)
    assert [len(batch) for batch in box.fetch(box.all_keys)] == [50, 50, 20]


@pytest.mark.parametrize(
    ("name", "begin"),
    [("a.txt", b"Subject: a\n"), ("a.eml", b"From a@b Sun Nov  1 09:15:00 2026\n")],
)
def test_a_file_that_is_no_mbox_is_one_letter(tmp_path, name, begin):
    path = tmp_path / name
    path.write_bytes(begin + MBOX)
    [(source, raw)] = letters(path)
    assert (source, raw.content, raw.received_at) == (name, begin + MBOX, GIVEN)


@pytest.mark.parametrize("before", [b"", b"\n", b"text\n", b"text\n\n"])
def test_only_after_a_blank_line_a_letter_of_an_mbox_begins(tmp_path, before):
    path = tmp_path / "inbox"
    path.write_bytes(MBOX + before + MBOX)
    # Each letter ends with a blank line of its own.
    assert len(letters(path)) == 6 - (before == b"text\n")


@pytest.mark.parametrize(
    ("content", "header"),
    [
        (b"A: b\n\nx\r\n\r\n" + b"x" * 99, b"A: b\n"), (b"A: b\n\r\nx\n\n" + b"x" * 99, b"A: b\n"),
        (b"\n\n" + b"x" * 99, b"\n"), (b"x" * 99, b"x" * 99),
        (b"x" * (2**20 + 1), b"x" * 2**20),
    ],
)  # fmt: skip
def test_a_header_ends_with_its_first_blank_line_or_its_bound(tmp_path, content, header):
    path = tmp_path / "a.eml"
    path.write_bytes(content)
    [(_, raw)] = letters(path, letter_bytes=50)
    assert (raw.header_only, raw.size, raw.content) == (True, len(content), header)


def test_files_of_a_maildir_that_are_hidden_are_no_letters(tmp_path):
    mailbox.Maildir(tmp_path / "Maildir")
    for name in ("cur/.keep", "new/.nfs1", "tmp/1", "new/1:2,"):
        (tmp_path / "Maildir" / name).write_bytes(mail(name))
    assert [source for source, _ in letters(tmp_path / "Maildir")] == ["Maildir/1"]

"""Files put into a folder: taken when they are whole, and told of beside them."""

import json
import os
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from ingest.engine.drop import TRIP_FILES, DropCollector
from ingest.engine.fair import HEAVY_AT_ONCE
from ingest.engine.work import nobody_is_told
from ingest.intake.attempt import PolicyIntake
from ingest.intake.authenticate import Prover
from ingest.transports.drop import DropFolder
from ingest.transports.ports import DropUnavailable
from tests.contract.documents import rows
from tests.direct_reader import DirectReader
from tests.ingest.office import CODE, LAYOUTS, mail, office_with, xml

LETTER_BYTES = 20_000


class Sftp:
    """A drop folder and its collector; its clock runs ahead of the files' by `later`."""

    def __init__(self, ledger, path, entity=""):
        self.ledger, self.path, self.entity = ledger, path, entity
        self.later = timedelta(minutes=2)
        self.reader = DirectReader(LAYOUTS)
        self.policy = office_with(ledger).policy
        self.restart()

    def now(self):
        return datetime.now(UTC) + self.later

    def restart(self):
        folder = DropFolder("sftp", self.path, LETTER_BYTES, are_letters=not self.entity)
        intake = PolicyIntake(self.policy, Prover(self.ledger, self.policy.guard, self.now))
        self.collector = DropCollector(
            folder, self.entity, self.reader, self.ledger, intake, self.now, nobody_is_told, "en"
        )

    def put(self, name, content):
        path = self.path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def once(self):
        return {str(one): count for one, count in self.collector.once().outcomes.items()}

    def verdict(self, name):
        return json.loads((self.path / f"{name}.verdict.json").read_bytes())

    def names(self):
        return sorted(path.name for path in self.path.iterdir())

    def values(self):
        return sorted(
            row[0] // 1000 for row in rows(self.ledger, "SELECT energy_wh FROM interval_value")
        )


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "in"
    path.mkdir()
    return path


@pytest.fixture
def sftp(ledger, folder):
    made = Sftp(ledger, folder, CODE)
    yield made
    made.reader.close()


@pytest.fixture
def letters(ledger, folder):
    made = Sftp(ledger, folder)
    yield made
    made.reader.close()


def test_verdict_and_receipt_of_a_file_lie_beside_it(sftp):
    sftp.put("z.xml", xml("0.067", "0.066"))
    assert sftp.once() == {"accepted": 1}

    told = sftp.verdict("z.xml")
    [document] = told["documents"]
    assert (told["source"], told["outcome"], told["entity"]) == ("z.xml", "accepted", CODE)
    assert (document["verdict"], document["values"]) == ("accepted", 2)
    receipt = f"z.xml.verdict-{document['receipt']}.xml"
    assert sftp.names() == sorted(["z.xml", receipt, "z.xml.verdict.json"])
    root = etree.parse(sftp.path / receipt).getroot()
    assert (root.get("class"), root.get("id")) == ("80021", str(document["receipt"]))
    assert sftp.values() == [66, 67]
    assert rows(sftp.ledger, "SELECT count(*) FROM reply") == [(0,)]


def test_a_file_is_taken_once_also_by_the_next_process(sftp):
    sftp.put("z.xml", xml("0.067"))
    assert sftp.once() == {"accepted": 1}
    assert sftp.once() == {}
    sftp.restart()
    assert sftp.once() == {}
    assert sftp.verdict("z.xml")["documents"][0]["verdict"] == "accepted"
    assert rows(sftp.ledger, "SELECT count(*) FROM submission") == [(1,)]


def test_a_verdict_that_a_crash_kept_from_being_laid_is_laid_by_the_next_process(sftp):
    sftp.put("z.xml", xml("0.067"))
    sftp.once()
    whole = sftp.verdict("z.xml")
    for path in sftp.path.glob("*.verdict*"):
        path.unlink()
    sftp.restart()
    sftp.once()
    assert sftp.verdict("z.xml") == whole


def test_a_file_that_is_still_written_waits_and_one_that_was_renamed_into_place_does_not(sftp):
    sftp.put("written.xml", xml("0.067"))
    sftp.put("half.xml.part", xml("0.067"))
    upload = sftp.put(".upload", xml("0.067", "0.066"))
    written = upload.stat().st_mtime_ns
    while upload.stat().st_ctime_ns == written:
        # The clock of files has ticks of milliseconds.
        upload.rename(sftp.path / "renamed.xml")
        upload = sftp.path / "renamed.xml"
    sftp.later = timedelta(seconds=5)
    sftp.once()
    assert [name for name in sftp.names() if name.endswith(".json")] == ["renamed.xml.verdict.json"]

    sftp.later = timedelta(seconds=61)
    sftp.once()
    told = [name for name in sftp.names() if name.endswith(".json")]
    assert told == ["renamed.xml.verdict.json", "written.xml.verdict.json"]


def test_another_file_of_the_same_name_is_read_and_its_verdict_replaces_the_first(sftp):
    sftp.put("z.xml", xml("0.067"))
    sftp.once()
    (sftp.path / "z.xml").unlink()
    sftp.put("z.xml", xml("0.070", created="20261115193232"))
    assert sftp.once() == {"accepted": 1}
    assert 70 in sftp.values()


def test_the_same_document_under_another_name_is_a_duplicate(sftp):
    sftp.put("a.xml", xml("0.067"))
    sftp.once()
    sftp.put("b.xml", xml("0.067"))
    assert sftp.once() == {"duplicate": 1}
    first, second = sftp.verdict("a.xml"), sftp.verdict("b.xml")
    assert second["documents"][0]["verdict"] == "duplicate"
    assert second["letter"] != first["letter"]


@pytest.mark.parametrize("content", [b"", b"nothing", b"\0" * 500, b"PK\x03\x04" + b"x" * 90])
def test_a_file_that_is_nothing_is_told_as_that(sftp, content):
    sftp.put("x.xlsx", content)
    assert sftp.once() == {"rejected": 1}
    told = sftp.verdict("x.xlsx")
    assert told["findings"] or told["documents"][0]["findings"]


def test_a_huge_file_is_refused_unread(sftp):
    sftp.put("x.xml", b"<" * (LETTER_BYTES + 1))
    assert sftp.once() == {"rejected": 1}
    assert [item["code"] for item in sftp.verdict("x.xml")["findings"]] == ["letter-too-large"]


def test_what_is_no_plain_file_is_not_opened(sftp, tmp_path):
    (tmp_path / "secret").write_text("password")
    (sftp.path / "link.xml").symlink_to(tmp_path / "secret")
    os.mkfifo(sftp.path / "pipe.xml")
    (sftp.path / "folder.xml").mkdir()
    assert sftp.once() == {}
    assert sftp.verdict("link.xml")["error"] == "a symbolic link is not followed"
    assert sftp.verdict("pipe.xml")["error"] == "it is no plain file"
    assert not (sftp.path / "folder.xml.verdict.json").exists()


def test_a_link_laid_where_the_verdict_comes_is_replaced_and_not_followed(sftp, tmp_path):
    (tmp_path / "theirs").write_text("stays")
    (sftp.path / "z.xml.verdict.json").symlink_to(tmp_path / "theirs")
    sftp.put("z.xml", xml("0.067"))
    sftp.once()
    assert sftp.verdict("z.xml")["outcome"] == "accepted"
    assert (tmp_path / "theirs").read_text() == "stays"


def test_a_letter_in_a_folder_of_nobodys_proves_itself(letters):
    letters.put("right.eml", mail(xml("0.067")))
    letters.put("wrong.eml", mail(xml("0.066"), body=f"Код: {CODE}\nПароль: wrong"))
    letters.put("bare.xml", xml("0.065"))
    assert letters.once() == {"accepted": 1, "refused": 2}
    assert letters.verdict("right.eml")["entity"] == CODE
    assert letters.verdict("wrong.eml")["entity"] is None
    bare = letters.verdict("bare.xml")
    assert [item["code"] for item in bare["findings"]] == ["credentials-missing"]
    assert letters.values() == [67]


def test_a_letter_that_came_before_is_a_duplicate_of_it(letters):
    letters.put("a.eml", mail(xml("0.067")))
    letters.once()
    letters.put("b.eml", mail(xml("0.067")))
    assert letters.once() == {"duplicate": 1}
    first, second = letters.verdict("a.eml"), letters.verdict("b.eml")
    assert second == first | {"source": "b.eml", "outcome": "duplicate"}


def test_a_letter_in_a_folder_of_an_entitys_says_nothing_of_who_hands_it_in(sftp):
    sftp.put("a.eml", mail(xml("0.067"), body="Код: 200000009999\nПароль: x"))
    assert sftp.once() == {"accepted": 1}
    assert sftp.verdict("a.eml")["entity"] == CODE


class _Costly(DirectReader):
    """Each file costs fifteen seconds; `at_once` are the files that it was given together."""

    def __init__(self, layouts):
        super().__init__(layouts)
        self.at_once = []

    def read_together(self, letters):
        self.at_once.append(len(letters))
        done = [Future() for _ in letters]
        for future, read in zip(done, super().read_together(letters), strict=True):
            future.set_result(replace(read.result(), cpu_seconds=15.0))
        return done


def test_files_that_cost_much_are_in_hand_two_at_a_time_and_all_get_their_verdict(sftp):
    sftp.reader.close()
    sftp.reader = _Costly(LAYOUTS)
    sftp.restart()
    names = [f"{number}.xml" for number in range(12)]
    for number, name in enumerate(names):
        sftp.put(name, xml(f"{number}.5"))
    while not all(f"{name}.verdict.json" in sftp.names() for name in names):
        sftp.once()
    first, *others = sftp.reader.at_once
    assert first == TRIP_FILES
    assert others
    assert max(others) == HEAVY_AT_ONCE


def test_a_folder_that_is_away_or_of_an_unknown_entity_is_a_fault_of_its_own(ledger, folder):
    sftp = Sftp(ledger, folder, "200000009999")
    sftp.put("z.xml", xml("0.067"))
    with pytest.raises(DropUnavailable, match="no active user code 200000009999"):
        sftp.once()
    assert rows(ledger, "SELECT count(*) FROM letter") == [(0,)]
    sftp.path = folder / "away"
    sftp.restart()
    with pytest.raises(DropUnavailable, match="is not there"):
        sftp.once()
    sftp.reader.close()


def test_another_process_that_reads_the_folder_is_left_alone(sftp):
    sftp.put("z.xml", xml("0.067"))
    with sftp.ledger.transaction() as store:
        store.leases.take("drop sftp", "elsewhere:1:1")
    assert sftp.collector.once().held_by == "elsewhere:1:1"
    assert sftp.names() == ["z.xml"]
    with sftp.ledger.transaction() as store:
        store.leases.release("drop sftp", "elsewhere:1:1")


def test_a_file_that_is_replayed_is_read_anew_where_it_lies(sftp):
    sftp.put("z.xml", xml("0.067", "0.066"))
    sftp.once()
    [(number, where)] = rows(sftp.ledger, "SELECT letter_id, folder FROM letter_location")
    key, opened = f"{where}#1", []

    def reopen(keys):
        # Its verdict lies there until it may be read.
        assert "z.xml.verdict.json" in sftp.names()
        opened.extend(keys)
        with sftp.ledger.transaction() as store:
            assert store.letters.reopen(number)

    folder = DropFolder("sftp", sftp.path, LETTER_BYTES, are_letters=False)
    assert folder.put_back({key, "gone#1"}, reopen) == {key}
    assert opened == [key]
    # It says what is known already; it was read to say so.
    assert sftp.once() == {"duplicate": 1}
    assert sftp.verdict("z.xml")["letter"] == number
    assert rows(sftp.ledger, "SELECT state, run FROM letter") == [("done", 1)]
    assert sftp.values() == [66, 67]
    # Another file of that name is another arrival.
    sftp.put("z.xml", xml("0.068", "0.066"))
    assert folder.put_back({key}, reopen) == set()


def test_a_folder_that_is_away_refuses_a_replay(sftp, tmp_path):
    folder = DropFolder("sftp", tmp_path / "missing", LETTER_BYTES, are_letters=False)
    with pytest.raises(DropUnavailable):
        folder.put_back({"a#1"}, lambda _: None)

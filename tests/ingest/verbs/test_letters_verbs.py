"""Verbs about letters: what they refuse, where bytes go, and with which code they end."""

import io
import json
import sys
from datetime import date
from types import SimpleNamespace

import pytest

from ingest.operations.doctor import Result
from ingest.operations.letters import Replayed
from ingest.wiring.service import Service
from tests.ingest.office import mail, xml
from tests.ingest.verbs.test_cli import CODE, busy  # noqa: F401 - a fixture


@pytest.fixture
def lying(busy, monkeypatch):  # noqa: F811
    """The same letters, whose bytes lie on a mail server."""
    content = mail(xml("1.5"))
    monkeypatch.setattr("ingest.operations.letters.raw", lambda _service, _number: content)
    return busy


def test_what_does_not_go_together_is_refused(lying):
    for words, told in (
        (["--raw", "--reply", "-o", "a"], "choose one of"),
        (["--raw", "--part", "1", "-o", "a"], "choose one of"),
        (["--part", "1", "--reply", "-o", "a"], "choose one of"),
        (["--part", "1"], "--part N and --reply need -o FILE"),
        (["--reply"], "--part N and --reply need -o FILE"),
        (["-o", "a"], "-o goes with --raw"),
        (["--part", "0", "-o", "a"], "0 is not in the range"),
        (["--part", "77", "-o", "a"], "77"),
    ):
        ran = lying("show", 1, *words)
        assert (ran.code, told in ran.complaint) == (2, True), words
    assert not (lying.folder / "a").exists()


def test_bytes_of_a_letter_go_where_they_are_asked_to(lying):
    whole = mail(xml("1.5"))
    assert lying("show", 1, "--raw").out.encode() == whole
    assert lying("show", 1, "--raw", "-o", "-").out.encode() == whole
    assert lying("show", 1, "--raw", "-o", "raw.eml").code == 0
    assert (lying.folder / "raw.eml").read_bytes() == whole
    assert lying("show", 1, "--part", 2, "-o", "part").code == 0
    assert (lying.folder / "part").read_bytes() == xml("1.5").encode()
    assert "Subject" in lying("show", 1, "--reply", "-o", "-").out


def test_a_terminal_gets_no_bytes_of_a_letter(lying, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    ran = lying("show", 1, "--raw")
    assert (ran.code, "a terminal obeys" in ran.complaint) == (2, True)


def test_letters_once_more_end_well_when_each_was_found_and_read(busy, monkeypatch):  # noqa: F811
    for put_back, not_found, is_whole, code in (
        ((1,), (), True, 0),
        ((1,), (), False, 1),
        ((1,), (2,), True, 1),
        ((), (2,), False, 1),
        ((), (), False, 0),
    ):
        asked, done = [], Replayed(put_back, not_found)

        def again(_app, numbers, *_, asked=asked, done=done):
            asked.append([*numbers])
            return done

        monkeypatch.setattr("ingest.operations.letters.replay", again)
        monkeypatch.setattr(Service, "poll_all", lambda _self, is_whole=is_whole: is_whole)
        ran = busy("replay", 1, 2, "--json")
        assert ran.code == code
        assert ran.rows == [{"put_back": [*put_back], "not_found": [*not_found]}]
        assert busy("replay", "--state", "quarantined").code == code
        assert asked == [[1, 2], [2]]


def test_letters_once_more_are_named_or_of_a_state(service):
    for words in ([], [1, "--state", "done"]):
        ran = service("replay", *words)
        assert (ran.code, "not both" in ran.complaint) == (2, True)


def test_what_is_not_locked_is_named(service):
    for words, whose in (([], CODE), (["--address", "a@b.ru"], f"{CODE} from a@b.ru")):
        complaint = service("unlock", CODE, *words).complaint
        assert complaint.startswith(f"{whose}: nothing is locked")


def test_an_address_that_nothing_is_noted_of_is_named(service):
    ran = service("bounces", "--seen", "a@b.ru")
    assert (ran.code, ran.complaint.startswith("a@b.ru: nothing is noted")) == (2, True)
    assert service("bounces", "--json").code == 0


def events(count):
    return "\n".join(
        json.dumps({"event": "x", "n": n, "timestamp": f"2026-11-10T09:00:{n:02}Z"})
        for n in range(count)
    )


def test_twenty_lines_are_shown_unless_others_are_asked_for(service):
    service.write("ingest.log", events(30))
    service.write("ingest.toml", '[log]\nfile = "ingest.log"')
    for words, shown in (
        ([], range(10, 30)),
        (["ingest.log"], range(10, 30)),
        (["-n", "3"], range(27, 30)),
        (["-n", "100"], range(30)),
        (["--since", "2026-11-10T09:00:05Z"], range(5, 30)),
        (["--since", "2026-11-10T09:00:05Z", "-n", "2"], range(28, 30)),
    ):
        assert [row["n"] for row in service("tail", "--json", *words).rows] == [*shown], words


def test_a_pipe_is_shown_whole_or_its_last_lines(service):
    for words in (["-"], []):
        assert len(service("tail", *words, "--json", stdin=events(30).encode()).rows) == 30
        last = service("tail", *words, "--json", "-n", "2", stdin=events(30).encode()).rows
        assert [row["n"] for row in last] == [28, 29]


def test_an_event_s_words_are_told_in_their_own_letters(service):
    line = json.dumps({"event": "x", "subject": "Показания"}, ensure_ascii=False)
    assert service("tail", "-", "--json", stdin=line.encode()).out == f"{line}\n"


class Typed(io.TextIOWrapper):
    """Standard input of a terminal."""

    def isatty(self):
        return True


def test_a_terminal_is_no_log_unless_it_is_named(service, monkeypatch):
    monkeypatch.setattr(io, "TextIOWrapper", Typed)
    ran = service("tail", stdin=events(1).encode())
    assert (ran.code, "[log] file is not set" in ran.complaint) == (2, True)
    assert service("tail", "-", stdin=events(1).encode()).code == 0


def test_a_verdict_that_is_none_is_refused_and_one_that_is_there_is_not(service):
    service.write("ingest.log", events(1))
    ran = service("tail", "ingest.log", "--verdict", "fine")
    assert (ran.code, "it is none of accepted" in ran.complaint) == (2, True)
    assert service("tail", "ingest.log", "--verdict", "accepted").code == 0


def test_doctor_ends_with_the_worst_that_it_found(service, monkeypatch):
    well, off, away = Result("a", "well"), Result("b", "off", "do", 1), Result("b", "off", "do", 3)
    for results, code in (([well], 0), ([well, off], 1), ([away, off, well], 3)):
        monkeypatch.setattr(
            "ingest.operations.doctor.examine", lambda _app, results=results: iter(results)
        )
        ran = service("doctor", "--json")
        assert (ran.code, len(ran.rows)) == (code, len(results))


def test_a_pass_that_was_not_whole_is_something_to_look_at(service, monkeypatch):
    for is_whole, code in ((True, 0), (False, 1)):
        monkeypatch.setattr(Service, "poll_all", lambda _self, is_whole=is_whole: is_whole)
        assert service("poll").code == code


def test_a_verb_that_has_nothing_to_do_says_so(service):
    for verb, told in (
        ("run", "no [[mailbox]] and no [[drop]]"),
        ("fetch", "no [[mailbox]] and no [[drop]]"),
        ("send", "no [smtp] host"),
        ("web", "web.listen is empty"),
    ):
        ran = service(verb)
        assert (ran.code, told in ran.complaint) == (2, True)


def test_letters_read_again_are_counted_by_outcome(service, monkeypatch):
    told = {"known": 2, "accepted": 1}
    asked = []

    def again(_app, day, _progress, *, replies):
        asked.append((f"{day}", replies))
        return dict(told)

    monkeypatch.setattr("ingest.operations.letters.backfill", again)
    assert service("backfill", "--since", "2026-11-10").out == "accepted 1, known 2\n"
    told.clear()
    assert service("backfill", "--since", "2026-11-10", "--no-replies").out == "no letters\n"
    assert asked == [("2026-11-10", True), ("2026-11-10", False)]


def test_texts_are_dropped_after_thirty_days_at_the_earliest(service):
    assert service("purge", "--older-than", 29).code == 2
    assert service("purge", "--older-than", 36501).code == 2
    [row] = service("purge", "--older-than", 30, "--dry-run", "--json").rows
    assert row["letters"] == 0
    assert service("purge", "--older-than", 36500, "--dry-run").out.startswith("would be dropped")


def test_a_month_that_is_not_closed_says_why(service, monkeypatch):
    for was_closed, snapshot, told in (
        (False, None, "stays open: 0 series missing, 0 suspicions open"),
        (True, None, "is closed already"),
        (True, 7, "is closed already"),
    ):
        done = SimpleNamespace(
            month=date(2026, 10, 1), was_closed=was_closed, snapshot=snapshot, lacks=(),
            suspects=(), differences=(),
        )  # fmt: skip
        monkeypatch.setattr(
            "ingest.operations.closing.close", lambda *_args, done=done, **_options: done
        )
        ran = service("period", "close", "2026-10")
        assert (ran.code, told in ran.err) == (1, True)

"""Texts for people, with all that there is to tell and with none of it."""

from dataclasses import fields, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from types import SimpleNamespace as Some

import pytest

from ingest.operations.audit import Verified
from ingest.operations.doctor import Result
from ingest.operations.status import Need, Status
from ingest.verbs import show
from ingest.verbs.imported import _MOST_TOLD, import_report
from layouts.findings import Code, Finding, Severity
from layouts.points import Meter
from layouts.terms import Kind
from storage.records.audit import AuditEntry
from storage.records.letters import (
    LetterDetails,
    LetterState,
    LetterSummary,
    Location,
    SubmissionDetails,
)
from storage.records.replies import ReplyState, SentReply
from storage.records.running import Process, ServerState, StoreStatus

AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 22, 10, tzinfo=UTC)
KNOWN = StoreStatus(
    verdicts_today={}, queue=1, quarantined=2, owed=3, undeliverable=4, bounced=5,
    oldest_unanswered=None, passes={},
)  # fmt: skip
QUIET = Status(KNOWN, stale=(), mailboxes={}, servers=(), endings=(), faults=(), needs=())
FIRST = [
    "today: no letters",
    "waiting for a verdict: 1, in quarantine: 2",
    "replies owed: 3, undeliverable: 4, came back: 5, oldest unanswered: -",
]


def server(name, failed_at, failing_since):
    return ServerState(name, failing_since, failed_at, "was away", "", None)


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({}, FIRST),
        (
            {"known": replace(KNOWN, verdicts_today={"accepted": 2, "refused": 1})},
            ["today: accepted 2, refused 1", *FIRST[1:]],
        ),
        (
            {"known": replace(KNOWN, oldest_unanswered=AT)},
            [*FIRST[:2], FIRST[2].removesuffix("-") + "2026-11-22T12:00:00+03:00"],
        ),
        (
            {"mailboxes": {"main": AT, "new": None}},
            ["mailbox main: last read through 2026-11-22T12:00:00+03:00",
             "mailbox new: last read through never", *FIRST],
        ),
        (
            {"servers": (server("a", AT, None), server("b", AT, AT), server("c", None, None))},
            ["a: last fault 2026-11-22 12:00: was away", *FIRST],
        ),
        (
            {"needs": (Need("reply", "somebody must look"),)},
            [*FIRST, "needs a person: somebody must look"],
        ),
    ],
)  # fmt: skip
def test_the_state_is_told_line_by_line(changed, lines):
    told = show.status(replace(QUIET, **changed)).splitlines()
    assert told == lines


PROCESS = Process("host:1:2", "work", "1.0", AT, AT, is_alive=True)


@pytest.mark.parametrize(
    ("letters", "oldest", "processes", "lines"),
    [
        (0, None, (), []),
        (
            2, AT, (),
            ["waiting for a worker: 2 (1.5 MB), oldest 2026-11-22 12:00, stalled trips: 7"],
        ),
        (
            0, None, (PROCESS, replace(PROCESS, is_alive=False)),
            ["waiting for a worker: 0 (1.5 MB), oldest -, stalled trips: 7",
             "work host:1:2 1.0: last heard of 2026-11-22 12:00",
             "work host:1:2 1.0: last heard of 2026-11-22 12:00 (silent)"],
        ),
    ],
)  # fmt: skip
def test_several_processes_are_told_where_there_are_some(letters, oldest, processes, lines):
    arrivals = Some(letters=letters, held=3 * 1024**2 // 2, oldest=oldest, stalled=7)
    found = replace(QUIET, cluster=Some(arrivals=arrivals, processes=processes))
    assert show.status(found).splitlines()[3:] == lines


SUMMARY = LetterSummary(
    id=17, received_at=AT, state=LetterState.CLAIMED, outcome=None, entity=None, sender=None,
    subject="", documents=0, values=0, reply=None, attempts=1, error=None,
)  # fmt: skip
DETAILS = LetterDetails(SUMMARY, "ab", 3, "<1@x>", AT, None, (), (), (), ())


def test_a_letter_of_which_little_is_known_has_signs_in_its_places():
    lines = show.letter(DETAILS, "en").splitlines()
    assert lines[0].startswith("letter 17  claimed  received 2026-11-22T12:00:00")
    assert lines[1] == "from ?  entity -  attempts 1"
    assert lines[2:] == ["subject ", "sha256 ab  3 bytes  <1@x>"]


def test_a_letter_of_which_all_is_known_is_told_whole():
    finding = Finding(Code.SPIKE, Severity.WARNING)
    document = SubmissionDetails(
        5, "", None, None, "cd", 4, None, None, "accepted", 0, 7, (finding,)
    )
    reply = SentReply(
        1, 17, "a@b", "Re", "<2@x>", b"Subject: Re\r\n\r\nWell.\r\n", ReplyState.SENT, 2, AT,
        last_error="421", returned_code="5.1.1", returned_text="no such user",
    )  # fmt: skip
    whole = replace(
        DETAILS,
        summary=replace(
            SUMMARY, outcome="accepted", entity="47", sender="a@b", error="KeyError",
            reason="wrong password", claimed="48",
        ),
        locations=(Location("main", "INBOX", 3, 4),),
        findings=(finding,),
        submissions=(document, replace(document, name="z.xml", layout="52005", findings=())),
        replies=(reply, replace(reply, last_error=None, returned_text=None)),
    )  # fmt: skip
    told = show.letter(whole, "en")
    lines = told.splitlines()
    assert lines[0].startswith("letter 17  accepted  ")
    assert lines[1] == "from a@b  entity 47  attempts 1"
    assert "at main INBOX uidvalidity 3 uid 4" in lines
    assert {"error KeyError", "reason wrong password", "claims to be 48"} <= set(lines)
    assert "receipt 5  accepted (status 0)  (no name)  layout -  7 values" in lines
    assert "receipt 5  accepted (status 0)  z.xml  layout 52005  7 values" in lines
    assert sum(line.startswith("warning spike: ") for line in lines) == 1
    assert sum(line.startswith("  warning spike: ") for line in lines) == 1
    assert "reply sent  attempts 2  421" in lines
    assert "reply sent  attempts 2" in [line.rstrip() for line in lines]
    assert lines.count("came back: 5.1.1 no such user") == 1
    assert told.count("Well.") == 2


def carried(**changed):
    given = {
        "kind": Kind.REGISTER, "area": None, "point": "1", "meter": "7", "channel": "A+",
        "zone": "T1", "start": AT, "end": AT, "places": None, "in_force": 1, "replaced": 0,
        "replaced_since": (), "value": Decimal("1.50"), "value_before": None,
    } | changed  # fmt: skip
    return show._carried(Some(**given))


@pytest.mark.parametrize(
    ("changed", "end"),
    [
        ({}, "  1.50: in force"),
        ({"in_force": 0}, "  1.50: not in force"),
        ({"value": None}, "  : in force"),
        ({"value_before": Decimal(1)}, "  1.50: in force, in place of 1"),
        (
            {"replaced_since": (Some(values=3, receipt=9), Some(values=1, receipt=10))},
            "  1.50: in force, replaced since: 3 by receipt 9, 1 by receipt 10",
        ),
        (
            {"kind": Kind.INTERVAL, "end": LATER, "in_force": 5, "replaced": 6},
            "..2026-11-22T13:00:00+03:00: in force 5, replaced 6 before it",
        ),
    ],
)
def test_what_a_document_brought_is_told_with_what_became_of_it(changed, end):
    told = carried(**changed)
    assert told.startswith("  1 7 A+ T1  2026-11-22T12:00:00")
    assert told.endswith(end)


@pytest.mark.parametrize(
    ("result", "line"),
    [
        (Result("database", "there"), "ok    database: there"),
        (Result("clock", "off", "set it", 1), "WRONG clock: off — set it"),
    ],
)
def test_what_doctor_tried_has_a_mark_and_advice(result, line):
    assert show.tried(result) == line


WHOLE = {
    "broken": None, "off": (), "foreign": (), "seals": 2, "rows": 9, "number": 4, "sha256": "ab",
    "sealed_at": AT, "unsealed": {}, "compared": 0,
}  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "lines"),
    [
        ({}, ["whole: 9 rows under 2 seals", "last seal: 4 ab of 2026-11-22T12:00:00+03:00"]),
        (
            {"broken": "row 3", "off": ("t1",), "foreign": ("t2",)},
            ["BROKEN: row 3", "BROKEN: the trigger t1 refuses no change any more",
             "BROKEN: t2 is none of ours", "9 rows under 2 seals",
             "last seal: 4 ab of 2026-11-22T12:00:00+03:00"],
        ),
        (
            {"number": None},
            ["nothing is sealed yet: `ingest run` does so every 20 seconds"],
        ),
        (
            {"compared": 3, "unsealed": {"audit": 2, "letter": 1}},
            ["whole: 9 rows under 2 seals", "last seal: 4 ab of 2026-11-22T12:00:00+03:00",
             "compared with 3 seals of the log", "not sealed yet: audit 2, letter 1"],
        ),
    ],
)  # fmt: skip
def test_seals_are_whole_or_broken(changed, lines):
    told = show.verified(Some(**WHOLE | changed))
    assert told.splitlines() == lines
    assert WHOLE.keys() == {one.name for one in fields(Verified)}


def change(before, after):
    named = Some(point="1", channel="A+", zone="T0")
    number = {None: None, "unknown": Some(energy=None)}
    sides = [number.get(one, Some(energy=one)) for one in (before, after)]
    return Some(
        month=date(2026, 11, 1),
        change=Some(before=sides[0], after=sides[1], named=named if before or after else None),
    )


def test_a_withdrawal_tells_each_month_what_rests_on_it_and_what_it_did():
    changes = (change(5, None), change("unknown", 7))
    done = Some(receipt=9, removed=3, restored=2, kept=1)
    told = show.withdrawal(Some(changes=changes, resting=(changes[1],), done=done))
    assert told.splitlines() == [
        "2026-11  1 A+ T0: 5 Wh -> nothing",
        "2026-11  1 A+ T0: nothing -> 7 Wh  (a later document rests on it)",
        "withdrawn with receipt 9: 3 values gone, 2 in force again, 1 kept by newer documents",
    ]
    alone = show.withdrawal(Some(changes=(change(None, None),), resting=(), done=None))
    assert alone == "2026-11  : nothing -> nothing"


@pytest.mark.parametrize(("dry_run", "verb"), [(True, "would be dropped"), (False, "dropped")])
def test_a_purge_says_whether_it_was_done(dry_run, verb):
    done = Some(dry_run=dry_run, letters=1, replies=2, reply_bytes=3)
    assert show.purged(done) == f"{verb}: facts of 1 letters, texts of 2 replies (3 bytes)"


def test_letters_put_back_are_counted_and_the_lost_are_named():
    told = show.replayed(Some(put_back=(1, 2), not_found=(3,)))
    assert told == "put back: 2\nletter 3 is in no mailbox and keeps its verdict"


def entry(before, after):
    return show._change(AuditEntry(AT, "anna", "meter", "7", before, after))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, {"ratio": 2, "zones": ["T1", "T2"]}, "ratio 2, zones T1 T2"),
        ({"ratio": 1, "name": "x"}, {"ratio": 2, "name": "x"}, "ratio 1 -> 2"),
        ({"ratio": None}, {"ratio": []}, "ratio - -> -"),
        ({"ratio": 1}, None, ""),
        ({}, {"name": ""}, "name -"),
    ],
)
def test_of_a_change_only_what_differs_is_told(before, after, told):
    assert entry(before, after).endswith(f" anna meter 7: {told}")


@pytest.mark.parametrize(
    ("meter", "told"),
    [
        (Meter("7", ratio=Decimal(40)), "meter 7  x40  installed ?  "),
        (
            Meter("7", installed=date(2026, 1, 1), removed=date(2026, 2, 1), channels=("A+",),
                  zones=("T1", "T2")),
            "meter 7  x1  installed 2026-01-01, removed 2026-02-01  A+ T1 T2",
        ),
    ],
)  # fmt: skip
def test_a_meter_is_told_with_its_days(meter, told):
    assert show._meter(meter).strip() == told.strip()


@pytest.mark.parametrize(
    ("count", "told"),
    [(_MOST_TOLD, None), (_MOST_TOLD + 1, "and 1 more, see --json"), (0, None)],
)
@pytest.mark.parametrize("is_dry_run", [True, False])
def test_an_import_tells_the_first_of_many_differences(count, told, is_dry_run):
    difference = Some(
        point="1", meter="", facts=(("name", "a", "b"),), is_correction=False, valid_from=None
    )
    other = Some(**vars(difference) | {
        "meter": "7", "is_correction": True, "valid_from": date(2026, 11, 1)
    })  # fmt: skip
    report = Some(
        added=("47",), changed=(), untouched=(), renumbered=(("1", "7", "8"),),
        differences=[difference] * (count - 1) + [other] * (count > 0),
    )  # fmt: skip
    recomputed = [
        type("One", (Some,), {"__str__": lambda _: "2026-11"})(before=None, after=("actual", 5))
    ]
    lines = import_report(
        Some(is_dry_run=is_dry_run, report=report, recomputed=recomputed)
    ).splitlines()
    head = "would be " if is_dry_run else ""

    assert lines[:4] == [
        f"{head}added: 1 (47)", f"{head}changed: 0", f"{head}left alone, not mentioned: 0",
        "point 1: meter 7 is meter 8 now",
    ]  # fmt: skip
    assert sum(line.startswith("point 1") for line in lines) == 1 + min(count, _MOST_TOLD)
    assert [line for line in lines if line.startswith("and ")] == ([told] if told else [])
    assert lines[-2:] == [
        f"{head}another consumption of open months: 1", "2026-11: nothing -> 5 Wh of actual"
    ]  # fmt: skip
    if count == _MOST_TOLD:
        assert lines[4].endswith(": a change from the beginning")
        assert lines[-3].startswith("point 1, meter 7: name a -> b")
        assert lines[-3].endswith(": a correction from 2026-11-01")

"""Each sentence of a reply: when it is told, of what, and up to which bound."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ingest.letters.terms import Attachment, Marked
from ingest.replies import answers, view
from ingest.replies.alarm import alarm, digest
from ingest.replies.answers import ATTACHED_MOST_BYTES, refusal, reply
from ingest.replies.message import ReplySettings
from ingest.replies.view import attachment_names, document_view, letter_groups, timeliness
from ingest.replies.wording import wording
from layouts.findings import Code, Finding, Place, Status, finding
from layouts.known import Change, Receipt
from layouts.terms import LANGUAGES, Verdict
from storage.records.replies import OwedReply
from tests.ingest.replies import cases
from tests.ingest.replies.cases import ENTITY, LETTER, NOW, RECEIVED, settings
from tests.ingest.replies.renew import body, opened

RU = wording("ru")
EARLIER, LATER = RECEIVED - timedelta(days=1), RECEIVED + timedelta(days=1)


def receipt(verdict: Verdict, *findings: Finding, number: int = 1) -> Receipt:
    return cases.receipt(number, cases.parsed(), verdict, Status.ACCEPTED, findings)


def late(deadline: datetime | None) -> Finding:
    return finding(Code.LATE_SUBMISSION, **({"deadline": deadline.isoformat()} if deadline else {}))


IN_TIME, LATE, UNTIL = (RU.say(key, name="52006.xlsx", deadline="§").partition("§")[0] for key in (
    "in_time", "late", "in_time_until",
))  # fmt: skip


@pytest.mark.parametrize(
    ("verdict", "findings", "deadline", "told"),
    [
        (Verdict.ACCEPTED, (), LATER, IN_TIME),
        (Verdict.ACCEPTED, (), EARLIER, LATE),
        (Verdict.ACCEPTED, (), RECEIVED, LATE),
        (Verdict.ACCEPTED, (), None, ""),
        (Verdict.PARTLY_ACCEPTED, (), LATER, IN_TIME),
        (Verdict.REJECTED, (), LATER, UNTIL),
        (Verdict.REJECTED, (), EARLIER, ""),
        (Verdict.UNREADABLE, (), LATER, ""),
        (Verdict.DUPLICATE, (), LATER, ""),
        # What the rules found late is late, whatever the deadline is by now.
        (Verdict.ACCEPTED, (late(EARLIER),), LATER, LATE),
        (Verdict.ACCEPTED, (late(LATER),), LATER, LATE),
        (Verdict.ACCEPTED, (late(LATER),), None, LATE),
        (Verdict.REJECTED, (late(LATER),), LATER, ""),
        (Verdict.ACCEPTED, (late(None),), LATER, IN_TIME),
        (Verdict.ACCEPTED, (finding(Code.SPIKE, deadline="x"),), LATER, IN_TIME),
    ],
)
def test_whether_a_document_came_in_time(
    verdict: Verdict, findings: tuple[Finding, ...], deadline: datetime | None, told: str
) -> None:
    said = timeliness(receipt(verdict, *findings), deadline, RU)
    assert said.startswith(told) if told else said == ""
    if told:
        by = findings[0].detail.get("deadline", "") if findings else ""
        at = datetime.fromisoformat(by) if by.startswith("2") else deadline
        assert RU.until(at or LATER) in said


@pytest.mark.parametrize(
    ("attached", "told"),
    [
        ([], ""),
        ([""], ""),
        (["a.x", ""], "«a.x»"),
        (["я" * 60], f"«{'я' * 60}»"),
        (["я" * 61], f"«{'я' * 60}»"),
        ([f"{n}.x" for n in range(10)], "«9.x»"),
        ([f"{n}.x" for n in range(12)], "«9.x» и ещё 2"),
    ],
)
def test_what_was_attached_to_a_letter_without_a_document(attached: list[str], told: str) -> None:
    files = tuple(Attachment(name, "", 1) for name in attached)
    said = attachment_names(replace(LETTER, attachments=files), RU)
    assert told in said if told else said == ""
    assert "ещё" not in said or "ещё" in told
    explained = (*files, Attachment("a.pdf", "", 1, "pdf"))
    assert attachment_names(replace(LETTER, attachments=explained), RU) == ""


@pytest.mark.parametrize(
    ("about", "heading"),
    [
        ({}, "весь"),
        ({"point": "1"}, "Точка учёта 1"),
        ({"meter": "2"}, RU.say("meter_alone", meter="2")),
        ({"point": "1", "meter": "2"}, "Точка учёта 1, прибор № 2"),
        # Without an object these tell nothing.
        *(({name: "A+"}, "весь") for name in ("area", "channel", "zone")),
        *(
            ({"point": "1", name: "A+"}, f"Точка учёта 1, {RU.say(name, **{name: 'A+'})}")
            for name in ("area", "channel", "zone")
        ),
        (
            {"point": "1", "meter": "2", "area": "3", "channel": "A+", "zone": "T1"},
            f"Точка учёта 1, прибор № 2, {RU.say('area', area='3')}, канал A+, "
            + RU.say("zone", zone="T1"),
        ),
    ],
)
def test_problems_stand_under_what_they_concern(about: dict[str, str], heading: str) -> None:
    shown = view.groups(view.joined([finding(Code.DECIMAL_COMMA, **about)]), RU, "весь")
    assert [group.heading for group in shown] == [heading]


def test_errors_come_before_remarks_and_the_whole_before_its_points() -> None:
    found = [
        finding(code, **about)  # type: ignore[arg-type]
        for code in (Code.DECIMAL_COMMA, Code.INVALID_NUMBER)
        for about in ({"point": "1"}, {"meter": "2"}, {})
    ]
    headings = [group.heading for group in view.groups(view.joined(found), RU, "весь")]
    marks = [p.mark for g in view.groups(view.joined(found), RU, "весь") for p in g.problems]
    assert headings == [RU.say("meter_alone", meter="2"), "весь", "Точка учёта 1"]
    assert marks == ["Ошибка", "Замечание"] * 3


@pytest.mark.parametrize(
    ("place", "count", "where", "times"),
    [
        (Place(line=7), 1, "строка 7", ""),
        (Place(line=7), 3, RU.say("onwards", place="строка 7"), RU.say("times", count="3")),
        (Place(), 3, "", RU.say("times", count="3")),
    ],
)
def test_of_values_put_together_the_first_place_is_told_and_their_number(
    place: Place, count: int, where: str, times: str
) -> None:
    (group,) = letter_groups([finding(Code.DECIMAL_COMMA, place, count=count)], RU)
    (problem,) = group.problems
    assert (problem.where, problem.count) == (where, times)
    both = [finding(Code.DECIMAL_COMMA, Place(line=line), count=2) for line in (7, 8)]
    (group,) = letter_groups(both, RU)
    assert group.problems[0].where == "строки 7–8"


@pytest.mark.parametrize(
    ("verdict", "codes", "outcome", "must_be_mended"),
    [
        (Verdict.ACCEPTED, [], "remarks", False),
        (Verdict.ACCEPTED, [Code.LATE_SUBMISSION], "accepted", False),
        (Verdict.ACCEPTED, [Code.DECIMAL_COMMA], "remarks", False),
        (Verdict.PARTLY_ACCEPTED, [Code.DECIMAL_COMMA], "partly_accepted", False),
        (Verdict.REJECTED, [Code.PERIOD_CLOSED], "rejected", False),
        (Verdict.REJECTED, [Code.PERIOD_CLOSED, Code.INVALID_DATE], "rejected", True),
    ],
)
def test_what_a_document_came_to(
    verdict: Verdict, codes: list[Code], outcome: str, must_be_mended: bool
) -> None:
    one = receipt(verdict, *map(finding, codes))
    assert view.outcome_of(one) == (outcome if codes else "accepted")
    assert view.must_be_mended(one) is must_be_mended
    assert document_view(one, RU, Counter()).has_errors is any(map(_is_error, codes))
    text = body(opened(answer(one)), "plain")
    assert (RU.say("send_again") in text) is must_be_mended


def _is_error(code: Code) -> bool:
    return finding(code).is_error


def answer(*receipts: Receipt, letter: cases.Letter = LETTER, **more: object) -> OwedReply:
    return reply(letter, ENTITY, receipts, NOW, settings(), letter_number=17, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["registers", "profile"])
@pytest.mark.parametrize(("values", "most", "more"), [(2, 2, 0), (3, 2, 1), (2, 3, 0)])
def test_rows_beyond_the_bound_are_counted(kind: str, values: int, most: int, more: int) -> None:
    series = cases.registers()[0] if kind == "registers" else cases.profile()
    one = replace(
        cases.accepted_receipt(),
        checked=replace(
            cases.accepted_receipt().checked, changes=(Change(series, added=(0,)),) * values
        ),
    )
    (table,) = document_view(one, RU, Counter(), most).tables
    assert len(table.rows) == min(values, most)
    assert table.more == (RU.say("rows_more", count=RU.count(more, "row")) if more else "")
    assert table.numeric == ({2} if kind == "registers" else {2, 3})


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (Change(cases.profile(), added=(0,)), []),
        (Change(cases.profile(), kept=2), ["kept"]),
        (Change(cases.registers()[0], kept=2), []),
        (Change(cases.profile(), stayed=2), ["stayed"]),
        (Change(cases.profile(), replaced=(0,), before=1, after=2), ["replaced"]),
        (Change(cases.registers()[0], replaced=(0,), before=1, after=2), ["replaced_reading"]),
        (Change(cases.profile(), replaced=(0,), before=1, after=2, stayed=1, kept=1),
         ["replaced", "stayed", "kept"]),
    ],
)  # fmt: skip
def test_what_became_of_values_that_were_there_before(change: Change, told: list[str]) -> None:
    one = cases.accepted_receipt()
    one = replace(one, checked=replace(one.checked, changes=(change,)))
    said = document_view(one, RU, Counter()).changes
    is_register = change.series.channel == "A+" and change.series.zone is not None
    name = "200000001234-01, прибор № 07512345, T1, A+" if is_register else "200000001234, A+"
    count = {"kept": change.kept, "stayed": change.stayed, "replaced": 1}
    about = {"unit": "кВт·ч"} | (
        {"before": "1", "after": "2"} if is_register else {"before": "0,001", "after": "0,002"}
    )
    assert list(said) == [
        RU.say(key, series=name, count=RU.count(count.get(key, 0), "value"), **about)
        for key in told
    ]


@pytest.mark.parametrize(
    ("message_id", "headers", "key"),
    [("<a@b>", b"", "received"), ("", b"To: a", "received"), ("", b"", "handed_in")],
)
def test_a_letter_was_received_and_a_file_handed_in(
    message_id: str, headers: bytes, key: str
) -> None:
    letter = replace(LETTER, message_id=message_id, headers=headers)
    text = body(opened(answer(cases.accepted_receipt(), letter=letter)), "plain")
    said = {
        one: RU.say(one, moment=RU.moment(RECEIVED)) in text for one in ("received", "handed_in")
    }
    assert said == {"received": key == "received", "handed_in": key == "handed_in"}


@pytest.mark.parametrize(
    ("receipts", "findings", "verdict"),
    [
        ([Verdict.ACCEPTED], [], "accepted"),
        ([Verdict.ACCEPTED], [Code.ATTACHMENT_NOT_READ], "remarks"),
        ([Verdict.ACCEPTED, Verdict.UNREADABLE], [], "partly_accepted"),
        ([Verdict.UNREADABLE, Verdict.UNREADABLE], [], "unreadable"),
        ([Verdict.REJECTED, Verdict.UNREADABLE], [], "rejected"),
        ([Verdict.REJECTED], [Code.ATTACHMENT_NOT_READ], "rejected"),
        ([], [], "no_documents"),
        ([], [Code.TOO_COSTLY], "limits"),
        ([], [Code.ENCRYPTED_DOCUMENT], "unreadable"),
    ],
)
def test_the_headline_of_a_letter(
    receipts: list[Verdict], findings: list[Code], verdict: str
) -> None:
    letter = replace(LETTER, findings=tuple(map(finding, findings)), subject="")
    given = [receipt(one, number=number) for number, one in enumerate(receipts, 1)]
    subject = answer(*given, letter=letter).subject
    numbers = ["", ", квитанция № 1", ", квитанции № 1, 2"][len(receipts)]
    assert subject == f"{RU.word('verdict', verdict)}{numbers}"


def test_of_many_receipts_the_first_are_named_and_the_others_counted() -> None:
    for number, told in ((5, "№ 1, 2, 3, 4, 5 —"), (6, "№ 1, 2, 3, 4, 5 и ещё 1 —")):
        given = [receipt(Verdict.ACCEPTED, number=one) for one in range(1, number + 1)]
        assert told in answer(*given).subject


@pytest.mark.parametrize(("over", "told"), [(0, "attached_marked"), (1, "too_large")])
def test_a_marked_workbook_is_attached_as_long_as_there_is_room(over: int, told: str) -> None:
    plain = opened(answer(cases.accepted_receipt()))
    taken = sum(len(part.get_payload(decode=True)) for part in plain.iter_attachments())
    book = Marked(b"x" * (ATTACHED_MOST_BYTES - taken + over), ("formats",))
    marked = answer(cases.accepted_receipt(), marked={0: book})
    text = body(opened(marked), "plain")
    assert RU.say(told, name="52006.xlsx") in text
    assert (RU.say("lost", what=RU.word("lost", "formats")) in text) is (told == "attached_marked")
    two = [cases.accepted_receipt(), cases.accepted_receipt(2)]
    both = answer(*two, marked={0: book, 1: Marked(b"x" * 3000, ())}) if not over else None
    assert both is None or RU.say("too_large", name="52006.xlsx") in body(opened(both), "plain")


@pytest.mark.parametrize(
    ("findings", "most"),
    [(2000, 100), (2001, 10), (20_000, 10), (20_001, 1), (150_000, 1), (150_001, 0)],
)
def test_of_very_many_findings_a_receipt_lists_fewer(
    monkeypatch: pytest.MonkeyPatch, findings: int, most: int
) -> None:
    asked: list[int] = []
    monkeypatch.setattr(answers, "receipt_xml", lambda *_args: asked.append(_args[3]) or b"")  # type: ignore[func-returns-value]
    one = receipt(Verdict.ACCEPTED, *[finding(Code.SPIKE)] * findings)
    answers._receipt_files(LETTER, [one], RU)
    assert asked == [most]


@pytest.mark.parametrize(
    ("codes", "told"),
    [
        ([], [Code.CREDENTIALS_MISSING]),
        ([Code.SENDER_LOCKED], [Code.CREDENTIALS_MISSING]),
        ([Code.CREDENTIALS_WRONG, Code.CREDENTIALS_MISSING], [Code.CREDENTIALS_MISSING]),
        ([Code.ATTACHMENT_NOT_READ], [Code.CREDENTIALS_MISSING]),
        ([Code.TOO_COSTLY, Code.ATTACHMENT_NOT_READ], [Code.TOO_COSTLY]),
        ([Code.NO_DOCUMENTS, Code.NO_DOCUMENTS], [Code.NO_DOCUMENTS]),
        ([Code.NO_DOCUMENTS, Code.TOO_COSTLY], [Code.NO_DOCUMENTS, Code.TOO_COSTLY]),
    ],
)
def test_a_refusal_tells_each_reason_once_and_nothing_of_the_letter(
    codes: list[Code], told: list[Code]
) -> None:
    place = Place(file="тайна.xlsx", sheet="тайна", cell="F8")
    found = [finding(code, place, seen="тайна", count=7) for code in codes]
    owed = refusal(LETTER, found, NOW, settings(), letter_number=17)
    text = body(opened(owed), "plain")
    groups = letter_groups([finding(code) for code in told], RU)
    assert [p.sentence in text for group in groups for p in group.problems] == [True] * len(told)
    assert text.count("Ошибка: ") == len(told)
    assert "тайна" not in text
    assert RU.say("times", count="7") not in text


@pytest.mark.parametrize("lines", [0, 1, 20, 21])
def test_an_alarm_is_told_in_both_languages_and_bounded(lines: int) -> None:
    told = [f"need {n} of a person" for n in range(lines)]
    how = ReplySettings("meters@retail.example", key=b"k")
    owed = alarm(kind := "quarantine", told, "duty@retail.example", NOW, how)
    text = body(opened(owed), "plain").splitlines()
    what = [wording(language).word("alarm", kind) for language in LANGUAGES]
    assert owed.subject == RU.word("alarm", "subject").format(what=what[0])
    assert text[:2] == [f"{one[:1].upper()}{one[1:]}." for one in what]
    assert [line for line in text if line.startswith("- ")] == [f"- {one}" for one in told[:20]]
    # Two hosts owe one mail within the hour.
    hour = NOW.replace(minute=0, second=0)
    ids = [
        alarm(kind, told, "duty@retail.example", hour + timedelta(seconds=after), how).message_id
        for after in (0, 3599, 3600)
    ]
    assert ids[0] == ids[1] != ids[2]
    assert len(digest(told)) == 10
    assert digest(told) != digest([*told, "more"])

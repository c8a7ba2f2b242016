"""One invented letter and reply for every verdict; golden files are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from ingest.letters.terms import Attachment, Letter
from ingest.replies.answers import notice, refusal, reply
from ingest.replies.message import XLSX, File, ReplySettings
from ingest.replies.reminder import reminder
from ingest.replies.wishes import form, standing
from layouts.completeness import MonthState, ProfileMonth, RegisterMonth, missing
from layouts.document import Header, Parsed, Series
from layouts.findings import Code, Finding, Place, Status, finding
from layouts.known import Change, Checked, Receipt
from layouts.points import LegalEntity, Meter, MeteringPoint
from layouts.terms import Kind, Verdict
from storage.records.replies import OwedReply

NOW = datetime(2026, 11, 1, 6, 20, tzinfo=UTC)
RECEIVED = datetime(2026, 11, 1, 6, 17, 33, tzinfo=UTC)
OCTOBER = datetime(2026, 9, 30, 21, tzinfo=UTC)
NOVEMBER = datetime(2026, 10, 31, 21, tzinfo=UTC)
DEADLINE = datetime(2026, 11, 2, 21, tzinfo=UTC)

METER = Meter("07512345", digits=6, decimals=2, zones=("T1", "T2"))
POINT = MeteringPoint("200000001234-01", "Котельная", meters=(METER,))
PROFILE = MeteringPoint("200000001234")
ENTITY = LegalEntity("200000001234", "ООО «Пример»", "3300000001", points=(POINT, PROFILE))
LETTER = Letter(
    sha256="0" * 64,
    size=2048,
    sender="meter@example.ru",
    reply_to="meter@example.ru",
    subject="Показания за октябрь",
    message_id="<abc@example.ru>",
    references=("<first@example.ru>",),
)


def settings(language: str = "ru") -> ReplySettings:
    return ReplySettings(
        "Приём показаний <meters@retail.example>",
        language,
        b"key of the tests",
        deadline_of=lambda _: DEADLINE,
    )


def registers(point: MeteringPoint = POINT, meter: Meter = METER) -> tuple[Series, ...]:
    values = {"T1": "12345.67", "T2": "2345.60"}
    return tuple(
        Series(
            Kind.REGISTER, None, point.code, meter.number, "A+", zone, NOVEMBER, 0, [Decimal(value)]
        )
        for zone, value in values.items()
    )


def profile(values: list[int | None] | None = None) -> Series:
    energy = values if values is not None else [1_066_500] + [67_000] * 743
    return Series(Kind.INTERVAL, None, PROFILE.code, None, "A+", None, OCTOBER, 60, energy)


def parsed(
    name: str = "52006.xlsx", layout: str | None = "52006", series: tuple[Series, ...] = ()
) -> Parsed:
    return Parsed(
        name=name,
        sha256="ab" * 32,
        size=1000,
        layout=layout,
        header=Header(version="1", sender_code=ENTITY.user_code),
        series=series,
    )


def receipt(
    number: int,
    document: Parsed,
    verdict: Verdict,
    status: Status,
    findings: tuple[Finding, ...] = (),
    changes: tuple[Change, ...] = (),
    duplicate_of: tuple[int, datetime] | None = None,
) -> Receipt:
    checked = Checked(verdict, status, findings, changes, duplicate_of)
    return Receipt(number, RECEIVED, document, checked)


def accepted_receipt(number: int = 1024) -> Receipt:
    series = registers()
    changes = tuple(Change(item, POINT, METER, added=(0,)) for item in series)
    return receipt(number, parsed(series=series), Verdict.ACCEPTED, Status.ACCEPTED, (), changes)


def remarks_receipt(number: int = 1025) -> Receipt:
    series = profile()
    place = [Place(line=line) for line in (*range(3, 30), 40)]
    hours = finding(
        Code.FLAT_PROFILE,
        point=PROFILE.code,
        channel="A+",
        seen="67000",
        start=datetime(2026, 10, 3, 0, tzinfo=UTC),
        end=datetime(2026, 10, 4, 6, tzinfo=UTC),
        count=30,
    )
    commas = tuple(
        finding(Code.DECIMAL_COMMA, where, seen="0,067", point=PROFILE.code, channel="A+")
        for where in place
    )
    late = finding(Code.LATE_SUBMISSION, deadline="2026-11-01T00:00:00+03:00")
    change = Change(
        series, PROFILE, replaced=range(24), kept=700, stayed=20, before=1_600_000, after=2_607_500
    )
    document = parsed("z52005.xml", "52005", (series,))
    return receipt(
        number,
        document,
        Verdict.ACCEPTED,
        Status.REMARKS,
        (*commas, hours, late),
        (change,),
    )


def partly_receipt(number: int = 1026) -> Receipt:
    series = registers()
    changes = tuple(Change(item, POINT, METER, added=(0,)) for item in series)
    sheet = "Лист1"
    findings = (
        finding(
            Code.INVALID_NUMBER,
            Place(sheet=sheet, cell="F14"),
            seen="нет данных",
            point="200000001234-02",
            meter="07519999",
            channel="A+",
            zone="T1",
        ),
        finding(
            Code.FOREIGN_POINT,
            Place(sheet=sheet, cell="B15"),
            seen="200000009999-01",
            point="200000009999-01",
        ),
        finding(
            Code.READING_WENT_BACK,
            Place(sheet=sheet, cell="F16"),
            seen="1200.00",
            point="200000001234-03",
            meter="07518888",
            channel="A+",
            zone="T0",
            start=NOVEMBER,
            other="12000.5",
            other_at="2026-10-01T00:00:00+03:00",
        ),
        finding(Code.POINT_MISSING, point="200000001234-04"),
        finding(Code.POINT_MISSING, point="200000001234-05"),
    )
    return receipt(
        number,
        parsed(series=series),
        Verdict.PARTLY_ACCEPTED,
        Status.UNKNOWN_OBJECTS,
        findings,
        changes,
    )


def rejected_receipt(number: int = 1027) -> Receipt:
    findings = (
        finding(
            Code.READING_IN_FUTURE,
            Place(line=700),
            seen="0.067",
            point=PROFILE.code,
            channel="A+",
            start=datetime(2026, 11, 2, 3, tzinfo=UTC),
            end=datetime(2026, 11, 2, 7, tzinfo=UTC),
            count=4,
        ),
        finding(
            Code.MISSING_INTERVAL,
            point=PROFILE.code,
            channel="A+",
            start=datetime(2026, 10, 5, 0, tzinfo=UTC),
            end=datetime(2026, 10, 5, 4, tzinfo=UTC),
            count=4,
        ),
    )
    document = parsed("z52005.xml", "52005")
    return receipt(number, document, Verdict.REJECTED, Status.DATA_ERRORS, findings)


def unreadable_receipt(number: int = 1028) -> Receipt:
    findings = (finding(Code.UNREADABLE_DOCUMENT),)
    document = parsed("показания.xls", None)
    return receipt(number, document, Verdict.UNREADABLE, Status.UNREADABLE, findings)


def duplicate_receipt(number: int = 1024) -> Receipt:
    first = (1024, datetime(2026, 10, 31, 22, 5, tzinfo=UTC))
    note = finding(Code.DUPLICATE_DOCUMENT, receipt="1024")
    return receipt(
        number, parsed(), Verdict.DUPLICATE, Status.ACCEPTED, (note,), duplicate_of=first
    )


def _reply(*receipts: Receipt, letter: Letter = LETTER) -> Callable[[str], OwedReply]:
    return lambda language: reply(
        letter, ENTITY, receipts, NOW, settings(language), letter_number=17
    )


def _refusal(*codes: Code, letter: Letter = LETTER) -> Callable[[str], OwedReply]:
    findings = [finding(code) for code in codes]
    return lambda language: refusal(letter, findings, NOW, settings(language), letter_number=17)


BESIDE_A_LOCKED_ONE = replace(
    LETTER,
    findings=(finding(Code.ENCRYPTED_DOCUMENT, Place(file="52005.zip"), entry="октябрь.xml"),),
)
WITHOUT_DOCUMENT = Letter(
    sha256="0" * 64,
    size=2048,
    reply_to="meter@example.ru",
    subject="Вопрос",
    message_id="<abc@example.ru>",
    attachments=(
        Attachment("скан счётчика.pdf", "application/pdf", 1000),
        Attachment("logo.png", "image/png", 1000),
    ),
)

_HOUR = 3600
_START, _END = int(OCTOBER.timestamp()), int(NOVEMBER.timestamp())
STANDING = MonthState(
    date(2026, 10, 1),
    profiles={(3, "A+"): ProfileMonth(((_START, _END - 5 * _HOUR),), 739, 0, 50_512_500)},
    registers={
        (1, "A+", "T1"): RegisterMonth(((_END, Decimal("12345.67")),)),
        (1, "A+", "T2"): RegisterMonth((), (_START, Decimal("2300.10"))),
        (9, "A+", "T0"): RegisterMonth(((_END, Decimal(1)),)),
    },
)
STANDING_ENTITY = replace(
    ENTITY,
    points=(
        replace(POINT, id=2, meters=(replace(METER, id=1),)),
        MeteringPoint("200000001234-02", id=4, meters=(Meter("07519999", id=2),)),
        replace(PROFILE, id=3),
    ),
)

CASES: dict[str, Callable[[str], OwedReply]] = {
    "accepted": _reply(accepted_receipt()),
    "accepted_with_remarks": _reply(remarks_receipt()),
    "partly_accepted": _reply(partly_receipt()),
    "rejected": _reply(rejected_receipt()),
    "unreadable": _reply(unreadable_receipt()),
    "duplicate": _reply(duplicate_receipt()),
    "several_documents": _reply(accepted_receipt(), rejected_receipt(), duplicate_receipt(1001)),
    "accepted_beside_a_locked_archive": _reply(accepted_receipt(), letter=BESIDE_A_LOCKED_ONE),
    "no_documents": _reply(letter=WITHOUT_DOCUMENT),
    "refused": _refusal(Code.CREDENTIALS_WRONG),
    "refused_without_document": _refusal(Code.NO_DOCUMENTS, letter=WITHOUT_DOCUMENT),
    "form": lambda language: form(
        LETTER, ENTITY, "52006", b"PK", NOW, settings(language), letter_number=17, known=["52006"]
    ),
    "form_unknown": lambda language: form(
        LETTER, ENTITY, "51070", None, NOW, settings(language), letter_number=17, known=["52006"]
    ),
    "standing": lambda language: standing(
        LETTER, STANDING_ENTITY, STANDING, NOW, settings(language), letter_number=17
    ),
    "reminder": lambda language: reminder(
        STANDING_ENTITY,
        "meter@example.ru",
        date(2026, 10, 1),
        missing(STANDING_ENTITY.points, STANDING, NOW),
        [File("52006_200000001234.xlsx", b"PK", *XLSX)],
        NOW,
        settings(language),
    ),
    "quarantined": lambda language: notice(LETTER, NOW, settings(language), letter_number=17),
}
"""Verdict to the reply in a language."""

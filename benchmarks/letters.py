"""Letters of four kinds, as many as wanted, and the register of points they belong to."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from zoneinfo import ZoneInfo

import openpyxl

MOSCOW = ZoneInfo("Europe/Moscow")
SENDERS = 10
"""Legal entities of each kind; each sends one letter for each period."""

NEW_SENDERS = 110
"""Legal entities that send one letter each, for the cost of verifying passwords; the first
ten of them warm the readers up."""

POINTS = 10
_COLUMNS = (
    "user_code password name inn addresses active point point_name area max_power_kw "
    "meter digits decimals ratio installed removed channels zones"
)
CHANNELS = ("A+", "A-", "R+", "R-")
ZONES = ("T1", "T2", "T3")


@dataclass(frozen=True)
class Letter:
    """What is put into the mailbox."""

    content: bytes
    received_at: datetime


@dataclass(frozen=True)
class Kind:
    """Letters of one kind.

    Attributes:
        prefix: The first digits of its senders' user codes.
        values: In each letter.
        count: Letters in one run.
        make: The document of a sender for its n-th period: name, bytes, receipt.
    """

    name: str
    title: str
    prefix: str
    values: int
    count: int
    make: Callable[[Kind, int, int], tuple[str, bytes, datetime]]
    senders: int = SENDERS

    def code(self, sender: int) -> str:
        """The user code of a sender."""
        return f"{self.prefix}{sender:06d}"

    def letters(self, count: int, first: int = 0) -> Iterator[Letter]:
        """So many letters, the first `first` of the sequence left out."""
        for number in range(first, first + count):
            period, sender = divmod(number, self.senders)
            name, document, received_at = self.make(self, sender, period)
            yield Letter(_mail(self.code(sender), name, document, received_at), received_at)


def password(code: str) -> str:
    """The password of a sender."""
    return f"secret-{code[-6:]}"


def address(code: str) -> str:
    """The mail address of a sender."""
    return f"meters@{code}.example"


def _mail(code: str, name: str, document: bytes, sent_at: datetime) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = f"Энергетик <{address(code)}>"
    mail["To"] = "meters@retailer.example"
    mail["Subject"] = "Показания счётчиков"
    mail["Date"] = sent_at
    mail["Message-ID"] = f"<{name}.{sent_at:%Y%m%d%H%M%S}@{code}.example>"
    mail.set_content(
        f"Добрый день!\n\nПередаём показания.\n\nКод: {code}\nПароль: {password(code)}\n\n"
        "С уважением,\nглавный энергетик\n",
        cte="base64",
    )
    mail.add_attachment(document, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def _inn(code: str) -> str:
    return f"33{code[-8:]}"


def registry(kinds: Iterable[Kind]) -> bytes:
    """The register of points of the senders of some kinds, with passwords."""
    table = io.StringIO()
    rows = csv.writer(table, delimiter=";")
    rows.writerow(_COLUMNS.split(" "))
    for kind in kinds:
        for sender in range(kind.senders):
            code = kind.code(sender)
            owner = [code, password(code), f"ООО «Завод {code[-6:]}»", _inn(code), address(code), 1]
            for row in _points(kind, code):
                rows.writerow([*owner, *row])
    return table.getvalue().encode()


def _points(kind: Kind, code: str) -> Iterator[list[object]]:
    if kind.make is half_hours:
        for point in range(POINTS):
            name = f"Ввод {point + 1}"
            yield [_point(code, point), name, _inn(code), 5000, *[""] * 6, "A+ A- R+ R-", ""]
        return
    yield [code, "Предприятие в целом", "", 5000, *[""] * 6, "A+", ""]
    yield [
        f"{code}-01", "Ввод 1", "", 5000, _meter(code), 6, 2, 1, "2020-03-01", "",
        " ".join(CHANNELS), " ".join(ZONES),
    ]  # fmt: skip


def _point(code: str, point: int) -> str:
    return f"33{code[-8:]}{point + 1:05d}"


def _meter(code: str) -> str:
    return f"07{code[-6:]}"


def _register_rows(sender: int, period: int) -> Iterator[tuple[str, str, str]]:
    for c, channel in enumerate(CHANNELS):
        for z, zone in enumerate(ZONES):
            energy = 1000 + 100 * sender + 10 * c + z + period * (60 + 7 * c + z)
            yield channel, zone, f"{energy}.{(sender + period) % 100:02d}"


def _register_day(period: int) -> datetime:
    return datetime(2026, 3, 1, tzinfo=MOSCOW) + timedelta(days=period)


def registers_xml(kind: Kind, sender: int, period: int) -> tuple[str, bytes, datetime]:
    """52006: twelve readings of one meter."""
    code, day = kind.code(sender), _register_day(period)
    created = day + timedelta(hours=9)
    rows = "\r\n".join(
        f'<reading date_time="{day:%Y%m%d%H}" channel="{c}" zone="{z}" value="{v}"/>'
        for c, z, v in _register_rows(sender, period)
    )
    text = (
        '<?xml version="1.0" encoding="windows-1251"?>\r\n'
        f'<package class="52006" version="1" sender_code="{code}" '
        f'sender_name="ООО «Завод {code[-6:]}»" created="{created:%Y%m%d%H%M%S}">\r\n'
        f'<meter number="{_meter(code)}" point="{code}-01">\r\n{rows}\r\n</meter>\r\n</package>\r\n'
    )
    name = f"z52006{code}{created:%Y%m%d%H%M%S}.xml"
    return name, text.encode("windows-1251"), created + timedelta(minutes=5)


def registers_workbook(kind: Kind, sender: int, period: int) -> tuple[str, bytes, datetime]:
    """The same as a workbook, as our template asks for it."""
    code, day = kind.code(sender), _register_day(period)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Показания приборов учёта"])
    sheet.append(["Макет", 52006])
    sheet.append(["Код пользователя", code])
    sheet.append(["Дата показаний", f"{day:%d.%m.%Y}"])
    sheet.append([])
    sheet.append(["№ п/п", "Точка учёта", "№ прибора\nучёта", "Канал", "Зона", "Показание, кВт·ч"])
    for number, (channel, zone, value) in enumerate(_register_rows(sender, period), 1):
        sheet.append([number, f"{code}-01", _meter(code), channel, zone, float(value)])
    saved = io.BytesIO()
    book.save(saved)
    return "52006.xlsx", saved.getvalue(), day + timedelta(hours=10)


def _load(hour: int, seed: int) -> int:
    """More by day than by night, and no two days of 101 alike: there is nothing to remark on."""
    return 400 + 12 * abs(12 - hour % 24) + (hour * 7919 + seed * 31) % 101


def _months_of_31_days() -> list[date]:
    months = [date(year, month, 1) for year in (2023, 2024, 2025, 2026) for month in range(1, 13)]
    return [month for month in months if month.month in {1, 3, 5, 7, 8, 10, 12}]


def hours(kind: Kind, sender: int, period: int) -> tuple[str, bytes, datetime]:
    """52005: the 744 hours of a month."""
    month = _months_of_31_days()[period]
    return _hourly(kind, sender, 744 * period, datetime.combine(month, time(), MOSCOW), 31)


def four_days(kind: Kind, sender: int, period: int) -> tuple[str, bytes, datetime]:
    """52005: the 96 hours of four days, which are of one month, as a document's are."""
    month, part = divmod(period, 7)
    first = datetime(2026, 3 + month, 1, tzinfo=MOSCOW) + timedelta(days=4 * part)
    return _hourly(kind, sender, 96 * period, first, 4)


def _hourly(
    kind: Kind, sender: int, before: int, first: datetime, days: int
) -> tuple[str, bytes, datetime]:
    """Hours of some days; so many `before` them were sent."""
    code, created = kind.code(sender), first + timedelta(days=days, hours=9)
    rows = "\r\n".join(
        f'<consumption date_time="{first + timedelta(hours=hour):%Y%m%d%H}" '
        f'energy="0.{_load(before + hour, sender):03d}"/>'
        for hour in range(24 * days)
    )
    text = (
        '<?xml version="1.0" encoding="windows-1251"?>\r\n'
        f'<package class="52005" version="1" sender_code="{code}" '
        f'sender_name="ООО «Завод {code[-6:]}»" created="{created:%Y%m%d%H%M%S}">\r\n'
        f"{rows}\r\n</package>\r\n"
    )
    name = f"z52005{code}{created:%Y%m%d%H%M%S}.xml"
    return name, text.encode("windows-1251"), created + timedelta(minutes=5)


def half_hours(kind: Kind, sender: int, period: int) -> tuple[str, bytes, datetime]:
    """80020: a day of ten points, four channels each."""
    code = kind.code(sender)
    day = datetime(2026, 3, 1, tzinfo=MOSCOW) + timedelta(days=period)
    sent_at = day + timedelta(days=1, hours=9)
    points = "\n".join(
        f'<measuringpoint code="{_point(code, point)}" name="Ввод {point + 1}">'
        + "".join(
            f'<measuringchannel code="0{channel}" desc="">'
            + "".join(_periods(sender + point + channel + period))
            + "</measuringchannel>\n"
            for channel in (1, 2, 3, 4)
        )
        + "</measuringpoint>"
        for point in range(POINTS)
    )
    text = (
        '<?xml version="1.0" encoding="windows-1251"?>\n'
        f'<message class="80020" version="2" number="{period + 1}">\n'
        f"<datetime><day>{day:%Y%m%d}</day><timestamp>{sent_at:%Y%m%d%H%M%S}</timestamp>"
        "<daylightsavingtime>0</daylightsavingtime></datetime>\n"
        f"<sender><name>ООО «Завод»</name><inn>{_inn(code)}</inn></sender>\n"
        f'<area timezone="1"><inn>{_inn(code)}</inn><name>Завод</name>\n{points}\n</area>\n'
        "</message>\n"
    )
    name = f"80020_{_inn(code)}_{day:%Y%m%d}_{period + 1}.xml"
    return name, text.encode("windows-1251"), sent_at + timedelta(minutes=5)


def _periods(seed: int) -> Iterator[str]:
    for index in range(48):
        start = f"{index // 2:02d}{index % 2 * 30:02d}"
        end = f"{(index + 1) // 2 % 24:02d}{(index + 1) % 2 * 30:02d}"
        value = 1000 + index * index * 37 % 400 + seed * 13 % 90
        yield f'<period start="{start}" end="{end}"><value>{value}</value></period>\n'


KINDS = {
    kind.name: kind
    for kind in (
        Kind("registers-xml", "52006 XML, 12 readings", "300001", 12, 150, registers_xml),
        Kind("registers-xlsx", "52006 workbook, 12 readings", "300002", 12, 80, registers_workbook),
        Kind("hours", "52005 XML, 744 hours", "300003", 744, 60, hours),
        Kind("half-hours", "80020, 10 × 4 × 48", "300004", 1920, 36, half_hours),
    )
}
NEW = Kind("new", "52006 XML, new senders", "300005", 12, 100, registers_xml, NEW_SENDERS)
DAYS = Kind("days", "52005 XML, 96 hours", "300006", 96, 60, four_days)
"""Only beside a peer that has letters of so many records."""

"""Letters as senders write them, for rules shown through the whole pipeline."""

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

from layouts.points import LegalEntity, Meter, MeteringPoint
from tests.layouts.rules.build import NOVEMBER


@dataclass(frozen=True)
class Party:
    """One sender with the enterprise as a whole, and one point with a meter."""

    number: int
    meter: dict
    more: tuple[MeteringPoint, ...] = ()

    @property
    def user(self) -> str:
        return f"30000000{self.number:04}"

    @property
    def inn(self) -> str:
        return f"330000{self.number:04}"

    @property
    def point(self) -> str:
        return f"{self.user}-01"

    @property
    def device(self) -> str:
        return f"0750{self.number:04}"

    def entity(self, password_hash: str) -> LegalEntity:
        about = {"digits": 5, "decimals": 2, "installed": date(2020, 1, 1), **self.meter}
        points = (
            MeteringPoint(self.user, max_power_kw=Decimal(1000), channels=("A+",)),
            MeteringPoint(
                self.point,
                area=self.inn,
                max_power_kw=Decimal(1000),
                channels=("A+", "R+", "R-"),
                meters=(Meter(self.device, **about),),
            ),
            *(replace(point, code=self.user + point.code, area=self.inn) for point in self.more),
        )
        return LegalEntity(
            self.user,
            f"Sender {self.number}",
            self.inn,
            points=points,
            password_hash=password_hash,
        )


@dataclass(frozen=True)
class Sent:
    """A document and when it is received; both may depend on who sends it."""

    received: datetime
    name: str
    write: Callable[[Party], str]


def local(moment: datetime, form: str) -> str:
    return (moment + timedelta(hours=3)).strftime(form)


def hours(
    values: Sequence[object],
    start: datetime,
    received: datetime | None = None,
    created: datetime | None = None,
    at: Callable[[int], int] = lambda index: index,
) -> Sent:
    """A 52005: energies in Wh from `start` on, each at the hour that `at` names."""
    made = created or start + timedelta(hours=len(values) + 1)

    def write(party: Party) -> str:
        rows = "".join(
            f'<consumption date_time="{local(start + timedelta(hours=at(index)), "%Y%m%d%H")}" '
            f'energy="{Decimal(value) / 1_000_000:f}"/>\n'
            for index, value in enumerate(values)
        )
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<package class="52005" version="1" '
            f'sender_code="{party.user}" created="{local(made, "%Y%m%d%H%M%S")}">\n'
            f"{rows}</package>"
        )

    return Sent(received or made + timedelta(minutes=5), "hours.xml", write)


def registers(
    *values: tuple[str, str] | tuple[str, str, datetime],
    at: datetime = NOVEMBER,
    received: datetime | None = None,
    channel: str = "A+",
    created: datetime | None = None,
    meter: Callable[[Party], str] = lambda party: party.device,
    point: Callable[[Party], str] = lambda party: party.point,
) -> Sent:
    """A 52006: zone and value of each reading."""

    def write(party: Party) -> str:
        rows = "".join(
            f'<reading date_time="{local((*more, at)[0], "%Y%m%d%H")}" channel="{channel}" '
            f'zone="{zone}" value="{value}"/>\n'
            for zone, value, *more in values
        )
        made = local(created or at + timedelta(hours=9), "%Y%m%d%H%M%S")
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<package class="52006" version="1" '
            f'sender_code="{party.user}" created="{made}">\n'
            f'<meter number="{meter(party)}" point="{point(party)}">\n{rows}</meter>\n</package>'
        )

    came = received or max(at, created or at) + timedelta(hours=10)
    return Sent(came, "registers.xml", write)


def day(
    values: Sequence[object],
    start: datetime,
    received: datetime | None = None,
    *,
    step: int = 30,
    number: int = 1,
    channel: str = "01",
    inn: str | None = None,
    point: Callable[[Party], str] = lambda party: party.point,
    skip: Sequence[int] = (),
    again: Sequence[int] = (),
    flagged: Sequence[int] = (),
    lasts: Sequence[int] = (),
) -> Sent:
    """An 80020: whole kWh of each period of a day."""

    def periods() -> str:
        rows = []
        for index, value in enumerate(values):
            begin = start + timedelta(minutes=step * index)
            longer = 2 if index in lasts else 1
            times = (local(begin + timedelta(minutes=m), "%H%M") for m in (0, step * longer))
            status = ' status="1"' if index in flagged else ""
            first, last = times
            row = f'<period start="{first}" end="{last}"><value{status}>{value}</value></period>\n'
            rows += [row] * (0 if index in skip else 2 if index in again else 1)
        return "".join(rows)

    def write(party: Party) -> str:
        made = local(start + timedelta(days=1, hours=8), "%Y%m%d%H%M%S")
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n'
            f'<message class="80020" version="2" number="{number}"><datetime>'
            f"<timestamp>{made}</timestamp><daylightsavingtime>0</daylightsavingtime>"
            f"<day>{local(start, '%Y%m%d')}</day></datetime>"
            f"<sender><inn>{inn or party.inn}</inn><name>Sender</name></sender>"
            f'<area timezone="1"><inn>{party.inn}</inn><name>Area</name>'
            f'<measuringpoint code="{point(party)}" name="">'
            f'<measuringchannel code="{channel}" desc="">{periods()}</measuringchannel>'
            f"</measuringpoint></area></message>"
        )

    return Sent(received or start + timedelta(days=1, hours=9), "day.xml", write)


def deliver(party: Party, sent: Sent, serial: int, password: str, maildir: Path) -> None:
    """Put the letter into a Maildir, whose files' times are those of delivery."""
    content = base64.encodebytes(sent.write(party).encode()).decode()
    text = (
        f"From: sender{serial}@example.ru\nTo: meters@example.ru\n"
        f"Return-Path: <sender{serial}@example.ru>\n"
        f"Subject: readings\nMessage-ID: <{serial}@example.ru>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b"\n\n'
        "--b\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n"
        f"Код: {party.user}\nПароль: {password}\n\n"
        f'--b\nContent-Type: application/octet-stream; name="{sent.name}"\n'
        "Content-Transfer-Encoding: base64\n"
        f'Content-Disposition: attachment; filename="{sent.name}"\n\n{content}\n--b--\n'
    )
    file = maildir / "cur" / f"{serial:04}.letter:2,"
    file.write_bytes(text.encode())
    os.utime(file, (sent.received.timestamp(), sent.received.timestamp()))


def make_maildir(folder: Path) -> Path:
    for name in ("cur", "new", "tmp"):
        (folder / name).mkdir(parents=True)
    return folder

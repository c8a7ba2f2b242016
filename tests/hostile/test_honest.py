"""What is large and honest is read whole by a child with the default limits."""

import base64
import io
import itertools
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from ingest.letters.terms import RawLetter, Read
from ingest.reading.pool import SandboxConfig, SandboxReader
from parsers.grid_draft import MOST_CELLS
from tests.fakes import raw_letter
from tests.hostile.corpus import BODY, CODE, MB, attached, carrying, several, zipped

RECEIVED_AT = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def reader():
    reader = SandboxReader(SandboxConfig())
    yield reader
    reader.close()


def read(reader: SandboxReader, content: bytes) -> Read:
    raw: RawLetter = raw_letter(content, received_at=RECEIVED_AT)
    return reader.read_together([raw])[0].result()


def codes(got: Read) -> list[str]:
    parsed = [found.code.value for one in got.parsed for found in one.findings]
    return [found.code.value for found in got.letter.findings] + parsed


def day_of_half_hours(day: datetime, channels: int) -> bytes:
    halves = [f"{n // 2:02}{n % 2 * 30:02}" for n in range(49)]
    halves[-1] = "0000"
    periods = "".join(
        f'<period start="{a}" end="{b}"><value>{n + 1}</value></period>'
        for n, (a, b) in enumerate(itertools.pairwise(halves))
    )
    points = "".join(
        f'<measuringpoint code="3300000001{n:05}" name="Ввод {n}"><measuringchannel code="01"'
        f' desc="А+">{periods}</measuringchannel></measuringpoint>'
        for n in range(channels)
    )
    return (
        '<message class="80020" version="2" number="1"><datetime><timestamp>20261201090000'
        f"</timestamp><daylightsavingtime>0</daylightsavingtime><day>{day:%Y%m%d}</day></datetime>"
        '<sender><inn>3300000001</inn><name>x</name></sender><area timezone="1">'
        f"<inn>3300000001</inn><name>x</name>{points}</area></message>"
    ).encode()


def test_a_month_of_half_hours_of_200_channels_is_read(reader):
    days = [datetime(2026, 11, 1) + timedelta(days=n) for n in range(30)]  # noqa: DTZ001
    files = ((f"80020_3300000001_{day:%Y%m%d}_1.xml", day_of_half_hours(day, 200)) for day in days)
    got = read(reader, carrying("month.zip", zipped(*files)))
    values = [value for one in got.parsed for series in one.series for value in series.values]
    assert codes(got) == []
    assert len(values) == 30 * 200 * 48
    assert sum(values) == 30 * 200 * 48 * 49 // 2 * 1000


@pytest.mark.parametrize("channels", [40, 700])
def test_a_day_of_many_channels_is_read(reader, channels):
    """Forty are 1,920 half-hours; 700 are nearly as much as one document may hold."""
    content = day_of_half_hours(datetime(2026, 11, 1), channels)  # noqa: DTZ001
    got = read(reader, carrying("80020_3300000001_20261101_1.xml", content, "text/xml"))
    assert codes(got) == []
    assert sum(len(series.values) for one in got.parsed for series in one.series) == 48 * channels


def workbook(rows: int) -> bytes:
    made = openpyxl.Workbook(write_only=True)
    sheet = made.create_sheet("1")
    for line in (("Макет", "52006"), ("Код пользователя", CODE), ("Дата показаний", "20.11.2026")):
        sheet.append(line)
    sheet.append(("Точка учёта", "№ прибора учёта", "Канал", "Зона", "Показание"))
    for n in range(rows):
        sheet.append((f"{CODE}-{n:04}", f"0751{n:04}", "A+", "T1", n))
    packed = io.BytesIO()
    made.save(packed)
    return packed.getvalue()


def test_the_workbook_of_the_most_readings_is_read(reader):
    got = read(reader, carrying("52006.xlsx", workbook(4_999)))
    assert codes(got) == []
    assert [series.values[0] for one in got.parsed for series in one.series] == list(range(4_999))


def test_the_workbook_of_the_most_cells_is_read(reader):
    made = openpyxl.load_workbook(io.BytesIO(workbook(10)))
    other = made.create_sheet("2")
    left = MOST_CELLS - 6 - 5 - 50
    for _ in range(left // 100):
        other.append(range(100))
    packed = io.BytesIO()
    made.save(packed)
    got = read(reader, carrying("52006.xlsx", packed.getvalue()))
    assert codes(got) == ["not-read"]  # the sheet of numbers, which is no form
    assert len(got.parsed[0].series) == 10


def test_a_mail_of_20_mb_is_read(reader):
    picture = b"\xff\xd8\xff\xe0" + bytes(range(256)) * (8 * MB // 256)
    document = attached("52006.xlsx", workbook(50))
    letter = several(BODY, attached("1.jpg", picture, "image/jpeg"), document,
                     attached("2.jpg", picture, "image/jpeg"))  # fmt: skip
    assert 19 * MB < len(letter) < 25 * MB
    assert base64.encodebytes(picture) in letter
    got = read(reader, letter)
    assert [len(one.series) for one in got.parsed] == [50]
    assert got.letter.credentials[0].password

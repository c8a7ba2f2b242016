"""What a letter without a document may ask for, and the workbooks for a reminder."""

import io
from datetime import UTC, date, datetime
from decimal import Decimal

import openpyxl
import pytest

from ingest.intake.wishes import forms_for, month_told
from ingest.replies.message import is_own_message_id
from ingest.replies.reminder import reminder, reminder_id
from layouts.completeness import Lack
from layouts.layout import load
from layouts.points import LegalEntity, Meter, MeteringPoint
from tests.ingest.replies.cases import settings

LAYOUTS = load()
ENTITY = LegalEntity(
    "777",
    points=(
        MeteringPoint("777-1", meters=(Meter("M1", zones=("T0",), channels=("A+",)),)),
        MeteringPoint("777-2"),
    ),
    id=3,
)
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)


class Readings:
    """A store that knows one reading."""

    def __init__(self):
        self.months = self

    def last_readings(self, entity):
        assert entity is ENTITY
        meter = (None, "777-1", "M1", None)
        return {(meter, "A+", "T0"): (Decimal("12.5"), datetime(2026, 9, 30, 21, tzinfo=UTC))}


@pytest.mark.parametrize(
    ("day", "month"),
    [
        (datetime(2026, 11, 1, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2026, 11, 10, 20, 59, tzinfo=UTC), date(2026, 10, 1)),
        # In Moscow it is the 11th by then.
        (datetime(2026, 11, 10, 21, tzinfo=UTC), date(2026, 11, 1)),
        (datetime(2026, 10, 31, 21, tzinfo=UTC), date(2026, 10, 1)),
        (datetime(2026, 1, 5, tzinfo=UTC), date(2025, 12, 1)),
    ],
)
def test_until_the_10th_people_speak_of_the_month_that_has_ended(day, month):
    assert month_told(day) == month


@pytest.mark.parametrize(
    ("lacks", "names"),
    [
        ([], []),
        ([Lack.PROFILE], ["52005_777.xlsx"]),
        ([Lack.READING, Lack.LAST_READING], ["52006_777.xlsx"]),
        ([Lack.FIRST_READING, Lack.PROFILE], ["52005_777.xlsx", "52006_777.xlsx"]),
    ],
)
def test_a_reminder_has_a_workbook_for_each_kind_that_is_missing(lacks, names):
    files = forms_for(lacks, ENTITY, Readings(), LAYOUTS, "ru", date(2026, 10, 1))

    assert [file.name for file in files] == names


def test_the_workbook_is_that_of_the_month_asked_for():
    (file,) = forms_for([Lack.READING], ENTITY, Readings(), LAYOUTS, "ru", date(2026, 10, 1))

    sheet = openpyxl.load_workbook(io.BytesIO(file.content)).worksheets[0]
    cells = [cell for row in sheet.iter_rows(values_only=True) for cell in row]
    assert datetime(2026, 11, 1, tzinfo=UTC).replace(tzinfo=None) in cells
    assert 12.5 in cells


def reminded(address="a@b.example", now=NOW, month=date(2026, 10, 1)):
    return reminder(ENTITY, address, month, (), (), now, settings())


def test_a_reminder_is_the_same_all_day_and_another_one_tomorrow():
    first = reminded()

    assert first.message_id == reminder_id(ENTITY, "a@b.example", NOW, settings())
    assert reminded(month=date(2026, 9, 1)).message_id == first.message_id
    assert reminded(now=NOW.replace(hour=20, minute=59)).message_id == first.message_id
    # Midnight in Moscow.
    assert reminded(now=NOW.replace(hour=21)).message_id != first.message_id
    assert reminded(address="c@b.example").message_id != first.message_id
    assert reminded(address="A@B.example").message_id == first.message_id


def test_a_reminder_answers_no_letter_and_is_known_as_our_own():
    mail = reminded()

    assert (mail.letter, mail.recipient) == (None, "a@b.example")
    assert is_own_message_id(mail.message_id, settings())
    assert b"In-Reply-To" not in mail.content
    assert b"Auto-Submitted: auto-generated" in mail.content


def test_an_address_that_mail_cannot_go_to_has_no_reminder():
    assert reminded(address="nowhere").recipient == ""

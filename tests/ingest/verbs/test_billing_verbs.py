"""The verbs that billing uses, as an operator calls them."""

import csv
import getpass
import io
import json
import sqlite3
import sys
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from email import message_from_bytes
from email.policy import default
from zoneinfo import ZoneInfo

import openpyxl
import pytest
from pyarrow import parquet

from ingest.operations.export import COLUMNS, HISTORY_COLUMNS
from layouts.document import Document
from parsers import parse
from tests.contract.documents import LAYOUTS
from tests.ingest.invocation import SAMPLES

CODE = "200000001234"
LONG_AGO = "2020-05"
"""A month that has ended whatever the day of the test."""
PROFILES = ("00-52005-xml", "19-80020-not-commercial")


@pytest.fixture
def december(monkeypatch):
    """November, of which the samples are, has ended for the verbs of billing."""

    class December(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2026, 12, 3, 12, tzinfo=tz)

    monkeypatch.setattr("ingest.verbs.billing.datetime", December)


@pytest.fixture
def process(service):
    """Runs sample letters through the pipeline, all at one moment."""

    def process(*names):
        paths = [next((SAMPLES / "letters").glob(f"{name}*.eml")) for name in names]
        return service("process", "--at", "2026-11-22T12:00", "--json", *paths).rows

    return process


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def owed(run):
    """Mails in the outbox, the first one first."""
    with closing(sqlite3.connect(run.folder / "ingest.db")) as connection:
        rows = connection.execute("SELECT recipient, content FROM reply ORDER BY id").fetchall()
    return [(to, message_from_bytes(content, policy=default)) for to, content in rows]


# readings


def test_readings_sum_to_what_the_documents_say(run, process):
    process(*PROFILES)
    letters = [(SAMPLES / "letters" / f"{name}.eml").read_bytes() for name in PROFILES]
    said = billed = 0
    for letter in letters:
        for part in message_from_bytes(letter, policy=default).iter_attachments():
            document = Document(part.get_filename(), part.get_payload(decode=True))
            for series in (s for read in parse(document, LAYOUTS) for s in read.series):
                said += series.total
                billed += series.total - sum(series.values[i] or 0 for i in series.not_commercial)

    ran = run("readings", "--period", "2026-11")

    rows = table(ran.out)
    assert ran.code == 0
    assert sum(int(row["energy"] or 0) for row in rows) == said
    assert sum(int(row["billed"] or 0) for row in rows) == billed
    assert billed < said


@pytest.mark.parametrize("grain", ["interval", "day", "month"])
def test_each_grain_has_the_same_columns_and_sums(run, process, grain):
    process("00", "02", "19", "01")

    rows = table(run("readings", "--period", "2026-11", "--grain", grain).out)

    finest = table(run("readings", "--period", "2026-11").out)
    assert tuple(rows[0]) == COLUMNS
    for column in ("energy", "billed"):
        assert sum(int(row[column] or 0) for row in rows) == sum(
            int(row[column] or 0) for row in finest
        )
    registers = [row for row in rows if row["kind"] == "register"]
    assert registers == [row for row in finest if row["kind"] == "register"]
    assert len(registers) == 2


def test_what_is_not_commercial_is_missing_where_it_is_billed(run, process):
    process("19-80020-not-commercial")

    rows = run("readings", "--period", "2026-11", "--grain", "billing", "--json").rows

    # One day of half-hours came; four of active energy are not fit for billing.
    halves = 29 * 48
    assert {row["channel"]: row["missing"] for row in rows} == {"A+": halves + 4, "R+": halves}


def test_json_says_what_csv_says(run, process):
    process("01")

    rows = run("readings", "--period", "2026-11", "--json").rows

    written = {None: "", False: "false", True: "true"}
    told = [
        {k: written[v] if v is None or v is False or v is True else str(v) for k, v in row.items()}
        for row in rows
    ]
    assert told == table(run("readings", "--period", "2026-11").out)


def test_a_workbook_keeps_codes_as_text_and_exact_numbers(run, process):
    process("00", "01")
    path = run.folder / "november.xlsx"

    ran = run("readings", "--period", "2026-11", "-o", path)

    assert (ran.code, ran.out) == (0, "")
    first, *rows = openpyxl.load_workbook(path).active.iter_rows(values_only=True)
    assert first == COLUMNS
    told = [dict(zip(first, row, strict=True)) for row in rows]
    texts = table(run("readings", "--period", "2026-11").out)
    assert [row["point"] for row in told] == [row["point"] for row in texts]
    assert [row["energy"] for row in told] == [
        int(r["energy"]) if r["energy"] else None for r in texts
    ]
    assert told[0]["start"].isoformat() == "2026-11-01T00:00:00"
    assert told[-1]["meter"] == "07512345"


def test_parquet_has_types(run, process):
    process("00", "01")
    path = run.folder / "november.parquet"

    assert run("readings", "--period", "2026-11", "-o", path).code == 0

    rows = parquet.read_table(path).to_pylist()
    texts = table(run("readings", "--period", "2026-11").out)
    assert tuple(rows[0]) == COLUMNS
    assert sum(row["energy"] or 0 for row in rows) == sum(int(r["energy"] or 0) for r in texts)
    assert rows[0]["start"] == datetime(2026, 11, 1, tzinfo=ZoneInfo("Europe/Moscow"))
    assert rows[-1]["reading"] == Decimal(texts[-1]["reading"])


def test_a_month_without_values_is_a_heading(run, process):
    for name in ("none.csv", "none.xlsx", "none.parquet"):
        assert run("readings", "--period", LONG_AGO, "-o", run.folder / name).code == 0
    assert run("readings", "--period", LONG_AGO).out == ",".join(COLUMNS) + "\r\n"
    assert parquet.read_table(run.folder / "none.parquet").num_rows == 0


def test_history_tells_who_replaced_what_from_which_line(run, process):
    process("00", "08")

    rows = run("readings", "--period", "2026-11", "--history", "--json").rows

    assert tuple(rows[0]) == (*COLUMNS, *HISTORY_COLUMNS)
    replaced = [row for row in rows if row["state"] == "replaced"]
    assert len(replaced) == 2
    for row in replaced:
        assert (row["billed"], row["receipt"], row["replaced_by"]) == (None, 1, 2)
        assert row["replaced_who"] == "buh@primer.example"
        after = rows[rows.index(row) + 1]
        assert (after["start"], after["state"], after["receipt"]) == (row["start"], "in-force", 2)
        assert after["place"] == row["place"]
        assert row["place"].startswith("line ")


def test_only_one_entity_is_told_when_asked(run, process):
    process("00", "03")

    rows = run("readings", "--period", "2026-11", "--entity", CODE, "--json").rows

    assert {row["entity"] for row in rows} == {CODE}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["readings"], "Missing option '--period'"),
        (["readings", "--period", "november"], "november is not a month like 2026-11"),
        (["readings", "--period", "2026-11", "-o", "x.pdf"], "x.pdf: name a file that ends in"),
        (["readings", "--period", "2026-11", "-o", "no/x.csv"], "no is not a folder: make it"),
        (["readings", "--period", "2026-11", "--entity", "1"], "1: the register has no such"),
        (["readings", "--period", "2026-11", "--history", "--grain", "day"], "leave out --grain"),
        (["readings", "--period", "2026-11", "--json", "-o", "x.csv"], "leave out -o"),
        (["missing", "--period", "2026-11", "--entity", "1"], "1: the register has no such"),
        (["period", "close", "2026"], "2026 is not a month like 2026-11"),
    ],
)
def test_wrong_use_is_one_sentence(run, words, sentence):
    ran = run(*words)

    assert ran.code == 2
    assert sentence in ran.complaint


def test_without_pyarrow_a_sentence_says_how_to_get_it(run, process, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    ran = run("readings", "--period", "2026-11", "-o", run.folder / "x.parquet")

    assert ran.code == 2
    assert "pip install 'meter-ingest[parquet]'" in ran.complaint


def test_a_file_that_cannot_be_written_whole_leaves_the_old_one(run, process, monkeypatch):
    path = run.write("november.xlsx", "the old one")
    process("00")
    monkeypatch.setattr("ingest.operations.export._SHEET_ROWS_MOST", 100)

    ran = run("readings", "--period", "2026-11", "-o", path)

    assert ran.code == 2
    assert "100 rows are the most that a sheet holds" in ran.complaint
    assert path.read_text() == "the old one"
    assert [file.name for file in run.folder.iterdir() if "november" in file.name] == [path.name]


# missing


def test_everybody_is_missing_in_a_month_without_letters(run, process):
    ran = run("missing", "--period", LONG_AGO, "--json")

    assert ran.code == 1
    assert {row["entity"] for row in ran.rows} == {CODE, "200000003080", "000000004711"}
    (own,) = [row for row in ran.rows if row["point"] == CODE]
    assert own == {
        "entity": CODE,
        "name": "ООО «Пример»",
        "area": None,
        "point": CODE,
        "meter": None,
        "channel": "A+",
        "zones": [],
        "kind": "profile",
        "reported": "nothing",
        "spans": [{"start": "2020-05-01T00:00:00+03:00", "end": "2020-06-01T00:00:00+03:00"}],
        "reminder": None,
    }


def test_the_table_for_people_names_point_meter_and_time(run, process):
    out = run("missing", "--period", LONG_AGO).out

    assert "200000001234-01" in out
    assert "07512345" in out
    assert "2020-05-01 00:00 - 2020-06-01 00:00" in out


def test_nobody_is_missing_in_a_month_that_has_not_begun(run, process):
    ran = run("missing", "--period", "9998-01", "--json")

    assert (ran.code, ran.out) == (0, "")


def test_reminders_are_owed_once_a_day_to_each_address_with_a_workbook(run, process):
    first = run("missing", "--period", LONG_AGO, "--remind", "--json")
    again = run("missing", "--period", "2020-06", "--remind", "--json")

    assert {row["reminder"] for row in first.rows} == {"owed"}
    assert {row["reminder"] for row in again.rows} == {"reminded-today"}
    mails = owed(run)
    assert sorted(to for to, _ in mails) == [
        "buh@primer.example",
        "energo@vlzavod.example",
        "sokolova@mail.example",
    ]
    (mail,) = [mail for to, mail in mails if to == "buh@primer.example"]
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["In-Reply-To"] is None
    assert "за май 2020 года" in mail["Subject"]
    text = mail.get_body(("plain",)).get_content()
    assert "прибор № 07512345" in text
    names = [part.get_filename() for part in mail.iter_attachments()]
    assert names == [f"52005_{CODE}.xlsx", f"52006_{CODE}.xlsx"]


def test_an_entity_without_an_address_is_told_apart(run, process):
    registry = (SAMPLES / "registry.csv").read_text().replace("sokolova@mail.example", "")
    path = run.write("registry.csv", registry)
    assert run("registry", "import", "--with-passwords", path).code == 0

    rows = run("missing", "--period", LONG_AGO, "--remind", "--json").rows

    told = {row["entity"]: row["reminder"] for row in rows}
    assert told == {CODE: "owed", "200000003080": "owed", "000000004711": "no-address"}


def test_an_entity_that_is_switched_off_is_not_asked(run, process):
    registry = (SAMPLES / "registry.csv").read_text()
    path = run.write("registry.csv", registry.replace("sokolova@mail.example;1", "a@b.example;0"))
    assert run("registry", "import", "--with-passwords", path).code == 0

    rows = run("missing", "--period", LONG_AGO, "--json").rows

    assert "000000004711" not in {row["entity"] for row in rows}


def test_nobody_is_reminded_of_a_closed_month(run, process):
    run("period", "close", LONG_AGO, "--yes")

    ran = run("missing", "--period", LONG_AGO, "--remind")

    assert ran.code == 2
    assert "2020-05 is closed" in ran.complaint
    assert run("missing", "--period", LONG_AGO).code == 1


# period


@pytest.mark.usefixtures("december")
def test_a_closed_month_refuses_documents_until_it_is_opened_again(run, process):
    assert run("period", "close", "2026-11", "--yes").code == 0

    (refused,) = process("00")
    assert refused["outcome"] == "rejected"
    assert "period-closed" in {item["code"] for item in refused["documents"][0]["findings"]}

    assert run("period", "reopen", "2026-11").code == 0
    (accepted,) = process("08")
    assert accepted["outcome"] == "accepted"


def test_closing_what_is_closed_and_opening_what_is_open_is_told(run):
    assert run("period", "reopen", LONG_AGO).complaint == "2020-05 is not closed"
    assert run("period", "close", LONG_AGO).out == "2020-05 is closed\n"

    again = run("period", "close", LONG_AGO)

    assert (again.code, again.complaint) == (1, "2020-05 is closed already")


def test_a_month_that_has_not_ended_is_not_closed(run):
    ran = run("period", "close", "2099-11", "--yes")

    assert (ran.code, "2099-11 has not ended" in ran.complaint) == (2, True)
    assert run("period", "list").out.count("2099-11") == 0


def test_every_turn_of_a_month_is_kept_with_the_operators_name(run):
    for turn in ("close", "reopen", "close"):
        run("period", turn, LONG_AGO)

    rows = run("period", "list", "--json").rows

    assert [row["closed"] for row in rows] == [True, False, True]
    assert {row["who"] for row in rows} == {getpass.getuser()}
    assert {row["period"] for row in rows} == {LONG_AGO}


def test_a_month_with_missing_values_stays_open_and_is_listed(service):
    ran = service("period", "close", LONG_AGO)

    assert ran.code == 1
    assert CODE in ran.out
    assert "2020-05 stays open" in ran.err
    assert "--yes" in ran.err
    assert service("period", "list").out.count(LONG_AGO) == 0
    assert service("period", "close", LONG_AGO, "--yes").code == 0


@pytest.mark.usefixtures("december")
def test_closing_tells_its_snapshot_and_the_difference_to_the_last_one_point_by_point(run, process):
    (first,) = run("period", "close", "2026-11", "--yes", "--json").rows
    run("period", "reopen", "2026-11")
    process("00-52005-xml")
    (second,) = run("period", "close", "2026-11", "--yes", "--json").rows
    run("period", "reopen", "2026-11")
    (third,) = run("period", "close", "2026-11", "--yes", "--json").rows

    assert first["differences"] == []
    assert second["snapshot"] > first["snapshot"]
    assert (second["sha256"] != first["sha256"], third["sha256"]) == (True, second["sha256"])
    (changed,) = second["differences"]
    assert (changed["entity"], changed["channel"]) == (CODE, "A+")
    assert changed["energy_before"] in (None, 0)
    assert changed["energy_after"] > 0
    assert third["differences"] == []


# suspects


def flat(day):
    """A day of equal values, which a load that is not constant never has."""
    rows = "".join(
        f'<consumption date_time="202611{day:02}{hour:02}" energy="0.0255"/>' for hour in range(24)
    )
    return (
        f'<package class="52005" version="1" sender_code="{CODE}"'
        f' created="202611{day + 1:02}120000">'
        f"{rows}</package>"
    )


def letter(document):
    sample = (SAMPLES / "letters" / "00-52005-xml.eml").read_bytes()
    mail = message_from_bytes(sample, policy=default)
    (attached,) = mail.iter_attachments()
    attached.set_content(document.encode(), "text", "xml", filename=attached.get_filename())
    return mail.as_bytes()


@pytest.fixture
def suspect(service):
    """The suspicion over a flat day."""
    path = service.write("flat.eml", letter(flat(10)))
    (row,) = service("process", "--at", "2026-11-12T12:00", "--json", path).rows
    assert row["outcome"] == "accepted"
    return service("suspects", "--json").rows


def test_doubtful_values_are_listed_until_they_are_accepted_with_a_reason(service, suspect):
    assert "flat-profile" in {row["code"] for row in suspect}
    assert {row["entity"] for row in suspect} == {CODE}
    numbers = [row["id"] for row in suspect]

    accepted = service("suspects", "accept", *numbers, "--reason", "печь работала сутки")

    assert accepted.code == 0
    again = service("suspects", "--json")
    assert (again.code, again.rows) == (0, [])
    twice = service("suspects", "accept", *numbers, "--reason", "снова")
    assert (twice.code, "accepted before" in twice.err) == (1, True)


def qualities(run):
    """How good the values of November are and why, by each way of asking for them."""
    asked = ("readings", "--period", "2026-11")
    rows = {"json": run(*asked, "--json").rows, "csv": table(run(*asked).out)}
    for kind in ("xlsx", "parquet"):
        assert run(*asked, "-o", run.folder / f"november.{kind}").code == 0
    names, *cells = openpyxl.load_workbook(run.folder / "november.xlsx").active.values
    rows["xlsx"] = [dict(zip(names, row, strict=True)) for row in cells]
    rows["parquet"] = parquet.read_table(run.folder / "november.parquet").to_pylist()
    found = {
        name: {(row["quality"], row["suspicions"] or "") for row in every}
        for name, every in rows.items()
    }
    with closing(sqlite3.connect(run.folder / "ingest.db")) as connection:
        view = connection.execute("SELECT quality, codes FROM billing_interval").fetchall()
        found["view"] = {(quality, codes or "") for quality, codes in view}
    return found


def test_a_doubtful_value_is_told_as_that_however_it_is_asked_for(service, suspect):
    codes = ",".join(sorted(row["code"] for row in suspect))
    ways = ("json", "csv", "xlsx", "parquet", "view")
    assert qualities(service) == {way: {("suspect", codes)} for way in ways}

    numbers = [row["id"] for row in suspect]
    service("suspects", "accept", *numbers, "--reason", "печь работала сутки")

    assert qualities(service) == {way: {("valid", "")} for way in ways}
    with closing(sqlite3.connect(service.folder / "ingest.db")) as connection:
        told = connection.execute("SELECT after FROM audit WHERE what = 'suspicion'").fetchall()
    assert len(told) == len(numbers)
    assert all("печь работала сутки" in json.dumps(json.loads(after), ensure_ascii=False)
               for (after,) in told)  # fmt: skip


def test_suspects_are_found_by_month_and_entity(service, suspect):
    assert service("suspects", "--month", "2026-11", "--json").rows == suspect
    assert service("suspects", "--month", "2026-10", "--json").rows == []
    assert service("suspects", "--entity", "000000004711", "--json").rows == []
    assert service("suspects", "--entity", "99").code == 2


def test_a_suspicion_that_is_none_accepts_nothing(service, suspect):
    ran = service("suspects", "accept", suspect[0]["id"], 99999, "--reason", "x")

    assert (ran.code, "no suspicion 99999" in ran.complaint) == (2, True)
    assert service("suspects", "accept", suspect[0]["id"], "--reason", " ").code == 2
    assert service("suspects", "--json").rows == suspect


@pytest.mark.usefixtures("december")
def test_a_month_with_suspect_values_tells_them_and_stays_open(service, suspect):
    ran = service("period", "close", "2026-11", "--json")

    (row,) = ran.rows
    assert (ran.code, row["closed"], row["suspects"]) == (1, False, suspect)


# What a letter without a document may ask for.


def test_a_letter_that_asks_for_the_status_is_told_the_month(run, process):
    process("04")
    (asked,) = process("16")

    assert (asked["outcome"], asked["documents"]) == ("answered", [])
    text = owed(run)[-1][1].get_body(("plain",)).get_content()
    assert "Показания за ноябрь 2026 года" in text
    assert "00000815" in text


def test_a_letter_that_asks_for_a_template_gets_it(run, process):
    (asked,) = process("15")

    assert asked["outcome"] == "answered"
    (attached,) = owed(run)[-1][1].iter_attachments()
    assert attached.get_filename() == "52006_200000003080.xlsx"
    book = openpyxl.load_workbook(io.BytesIO(attached.get_content()))
    numbers = {cell for row in book.worksheets[0].iter_rows(values_only=True) for cell in row}
    assert "11223344" in numbers


def test_a_layout_without_a_workbook_is_answered_with_those_that_have_one(run, process):
    letter = next((SAMPLES / "letters").glob("15*.eml")).read_bytes()
    message = message_from_bytes(letter, policy=default)
    del message["Subject"]
    message["Subject"] = "template 80020"
    path = run.write("asked.eml", message.as_bytes())

    (asked,) = run("process", "--at", "2026-11-22T12:00", "--json", path).rows

    assert asked["outcome"] == "answered"
    mail = owed(run)[-1][1]
    assert list(mail.iter_attachments()) == []
    assert "52006" in mail.get_body(("plain",)).get_content()


# The whole story, and what contradicts it.


def test_show_tells_where_a_reading_stood_and_what_became_of_it(run, process):
    process("00", "08", "01")

    first = run("show", "1", "--json").rows[0]["submissions"][0]["carried"][0]
    second = run("show", "2", "--json").rows[0]["submissions"][0]["carried"][0]
    readings = run("show", "3", "--json").rows[0]["submissions"][0]["carried"]

    assert first["place"] == "lines 3–333"
    assert first["replaced_since"] == [{"receipt": 2, "values": 2}]
    assert (second["replaced"], second["in_force"]) == (2, 40)
    assert [(item["zone"], item["place"], item["in_force"]) for item in readings] == [
        ("T1", "line 4", 1),
        ("T2", "line 5", 1),
    ]
    assert "lines 3–333: in force 329, replaced 0 before it, replaced since: 2 by receipt 2" in (
        run("show", "1").out
    )


def test_a_registry_that_removes_a_meter_before_its_last_reading_is_refused(run, process):
    process("01")
    text = (SAMPLES / "registry.csv").read_text()
    path = run.write("registry.csv", text.replace("2020-03-01;;", "2020-03-01;2026-10-10;"))

    ran = run("registry", "import", "--with-passwords", path)

    assert ran.code == 2
    assert (
        "line 3: meter 07512345 is removed on 2026-10-10, but its last recorded reading is of"
        " 2026-11-15 00:00"
    ) in ran.err
    later = run.write("later.csv", text.replace("2020-03-01;;", "2020-03-01;2026-11-14;"))
    assert run("registry", "import", "--with-passwords", later).code == 0
    shown = json.loads(run("registry", "show", CODE, "--json").out)
    assert shown["points"][1]["meters"][0]["removed"] == "2026-11-14"


def test_a_registry_that_installs_a_meter_after_its_first_reading_is_refused(run, process):
    process("01")
    text = (SAMPLES / "registry.csv").read_text()
    path = run.write("registry.csv", text.replace("2020-03-01;;", "2026-11-16;;"))

    ran = run("registry", "import", "--with-passwords", path)

    assert ran.code == 2
    assert (
        "line 3: meter 07512345 is installed on 2026-11-16, but its first recorded reading is of"
        " 2026-11-15 00:00"
    ) in ran.err


def test_billing_takes_one_number_a_register_and_later_only_the_difference(run, process):
    process("01")
    folder = run.folder / "billing"
    folder.mkdir()
    words = ("readings", "--period", "2026-11", "--grain", "billing")
    numbers = run(*words, "--json").rows
    done = run(*words, "--export", folder, "--json")

    [manifest] = done.rows
    assert (done.code, manifest["rows"]) == (0, len(numbers))
    assert table((folder / manifest["file"]).read_text())[0].keys() == numbers[0].keys()
    assert run(*words, "--changed-since", manifest["export"], "--json").rows == []
    assert "no export of this number" in run(*words, "--changed-since", "404").complaint
    everything = run(*words, "--changed-since", "2020-01-01", "--json").rows
    assert {row["change"] for row in everything} == {"new"}
    assert run(*words, "--as-of", "2020-01-01", "--json").rows == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--history", "--as-of", "2026-11-01"), "leave out --as-of"),
        (("--history", "--grain", "billing"), "leave out --grain"),
        (("--export", ".", "-o", "x.csv"), "leave out -o"),
        (("--export", "nowhere"), "not a folder"),
        (("--changed-since", "yesterday"), "not a moment"),
    ],
)
def test_what_does_not_go_together_is_refused(run, words, told):
    assert told in run("readings", "--period", "2026-11", *words).complaint


def test_a_minus_is_standard_output_and_a_link_is_not_followed(run, process):
    process("01")
    words = ("readings", "--period", "2026-11")
    assert run(*words, "-o", "-").out == run(*words).out
    assert not (run.folder / "-").exists()
    (run.folder / "link.csv").symlink_to(run.folder / "elsewhere.csv")
    assert "symbolic link" in run(*words, "-o", "link.csv").complaint
    assert not (run.folder / "elsewhere.csv").exists()

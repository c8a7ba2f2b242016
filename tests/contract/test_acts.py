"""Acts through the command line: exchanges, meters that come back, and another holder.

Each is one import and the readings of its act; what an act lacks is told to the sender, at
once, and by `missing`.
"""

import csv
import gc
import io
import warnings

import pytest

from tests.ingest.conftest import bare  # noqa: F401 - the folder in which verbs are called
from tests.ingest.invocation import SAMPLES
from tests.ingest.verbs.test_reader_codes import CODE, letter

# A verb leaves its connections to the end of its process.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")

METER, POINT = "07512345", f"{CODE}-01"
NEW_HOLDER = "200000003080"
LOGINS = {
    CODE: ("Zima-2026", "buh@primer.example"),
    NEW_HOLDER: ("klyuch 7 mart", "energo@vlzavod.example"),
}


@pytest.fixture
def office(bare, database_url):  # noqa: F811
    """The sample register of points in a database of either kind."""
    bare.write("ingest.toml", f'[database]\nurl = "{database_url}"\n')
    bare.write("registry.csv", (SAMPLES / "registry.csv").read_bytes())
    assert bare("registry", "import", "registry.csv", "--with-passwords").code == 0
    yield bare
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def put(office, *changes, **cells):
    """One import: the meter's row with these cells, and behind it copies with more changes."""
    text = office("registry", "export").out
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=";"))
    own = next(row for row in rows if row["meter"] == METER)
    others = {row["user_code"]: row for row in rows}
    own |= cells
    for change in changes:
        named = others[change["user_code"]] if "user_code" in change else {}
        holder = {name: named[name] for name in ("name", "inn", "addresses", "active") if named}
        rows.append(own | holder | change)
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, rows[0], delimiter=";")
    writer.writeheader()
    writer.writerows(rows)
    ran = office("registry", "import", office.write("in.csv", out.getvalue()))
    assert ran.code == 0, ran.err
    return ran


def send(office, *readings, at, code=CODE):
    """A 52006 with readings as (meter, day or instant, T1, T2); the codes and the values taken."""
    meters = "".join(
        f'<meter number="{meter}" point="{POINT}">'
        f'<reading date_time="{day:0<10}" zone="T1" value="{t1}"/>'
        f'<reading date_time="{day:0<10}" zone="T2" value="{t2}"/></meter>'
        for meter, day, t1, t2 in readings
    )
    text = (
        f'<package class="52006" version="1" sender_code="{code}"'
        f' created="{at.replace("-", "")}170000">{meters}</package>'
    )
    password, address = LOGINS[code]
    body = f"Код: {code}\nПароль: {password}\n"
    office.write(
        "a.eml",
        letter(("r.xml", text.encode()), body=body, sender=address, again=hash(text) % 10**9),
    )
    (ran,) = office("process", "--at", f"{at}T18:00", "a.eml", "--json").rows
    (document,) = ran["documents"]
    # The new holder has other points as well.
    told = {one["code"] for one in document["findings"]} - {"point-missing"}
    return told, document["values"]


def billed(office, month="2026-10"):
    """What is billed of the point, in kWh, by holder and zone."""
    rows = office("readings", "--period", month, "--grain", "billing", "--json").rows
    return {
        (row["entity"], row["zone"]): float(row["consumption"]) / 1000
        for row in rows
        if row["point"] == POINT and row["consumption"]
    }


def missing(office, month="2026-10"):
    rows = office("missing", "--period", month, "--entity", CODE, "--json").rows
    return [
        (row["kind"], row["meter"])
        for row in rows
        if (row["point"], row["channel"]) == (POINT, "A+")
    ]


def test_an_exchange_of_transformers_is_two_rows_of_one_meter_and_one_reading(office):
    put(office, {"ratio": "20", "valid_from": "2026-10-15"})
    assert send(office, (METER, "20261001", 100, 50), at="2026-10-01") == (set(), 2)
    assert send(office, (METER, "2026101511", 105, 55), at="2026-10-15") == (set(), 2)
    assert send(office, (METER, "20261101", 115, 75), at="2026-11-01") == (set(), 2)

    assert billed(office) == {(CODE, "T1"): 5 * 40 + 10 * 20, (CODE, "T2"): 5 * 40 + 20 * 20}
    assert missing(office) == []


def test_an_exchange_of_transformers_without_its_reading_is_told_to_both_sides(office):
    put(office, {"ratio": "20", "valid_from": "2026-10-15"})
    send(office, (METER, "20261001", 100, 50), at="2026-10-01")
    told, values = send(office, (METER, "20261101", 115, 75), at="2026-11-01")

    assert (told, values) == ({"replacement-incomplete"}, 2)
    assert missing(office) == [("exchange-reading", METER)]

    assert send(office, (METER, "2026101511", 105, 55), at="2026-11-02") == (set(), 2)
    assert missing(office) == []
    assert billed(office) == {(CODE, "T1"): 400, (CODE, "T2"): 600}


def replaced(office):
    put(
        office,
        {"meter": "999", "ratio": "30", "installed": "2026-10-20", "removed": ""},
        removed="2026-10-20",
    )


def test_a_replaced_meter_has_its_last_reading_and_the_new_one_its_first(office):
    replaced(office)
    send(office, (METER, "20261001", 100, 50), at="2026-10-01")
    act = [(METER, "2026102014", 108, 56), ("999", "2026102014", 3, 1)]
    assert send(office, *act, at="2026-10-20") == (set(), 4)
    assert send(office, ("999", "20261101", 7, 4), at="2026-11-01") == (set(), 2)

    assert billed(office) == {(CODE, "T1"): 8 * 40 + 4 * 30, (CODE, "T2"): 6 * 40 + 3 * 30}
    assert missing(office) == []


@pytest.mark.parametrize(
    ("act", "told", "lacks"),
    [
        ([], {METER, "999"}, [("last-reading", METER), ("first-reading", "999")]),
        ([(METER, "2026102014", 108, 56)], {"999"}, [("first-reading", "999")]),
        ([("999", "2026102014", 3, 1)], {METER}, [("last-reading", METER)]),
    ],
    ids=["neither", "no first", "no last"],
)
def test_what_the_act_of_a_replacement_lacks_is_told_at_once(office, act, told, lacks):
    replaced(office)
    send(office, (METER, "20261001", 100, 50), at="2026-10-01")
    if act:
        # Both may still come: nothing is told on the day itself.
        assert send(office, *act, at="2026-10-20") == (set(), 2)
    found, values = send(office, ("999", "20261101", 7, 4), at="2026-11-01")

    assert values == 2
    assert found == {"replacement-incomplete"}
    assert missing(office) == lacks
    shown = office("show", 3 if act else 2).out
    assert all(f"прибора № {meter} на 20.10.2026" in shown for meter in told)


def test_a_meter_that_comes_back_goes_on_where_it_stopped(office):
    put(
        office,
        {"meter": "999", "ratio": "30", "installed": "2026-10-10", "removed": "2026-10-20"},
        {"installed": "2026-10-20", "removed": ""},
        removed="2026-10-10",
    )
    send(office, (METER, "20261001", 100, 50), at="2026-10-01")
    first = [(METER, "2026101012", 105, 55), ("999", "2026101012", 0, 0)]
    assert send(office, *first, at="2026-10-10") == (set(), 4)
    second = [("999", "2026102012", 4, 2), (METER, "2026102012", 105, 55)]
    assert send(office, *second, at="2026-10-20") == (set(), 4)
    assert send(office, (METER, "20261101", 111, 58), at="2026-11-01") == (set(), 2)

    assert billed(office) == {
        (CODE, "T1"): (5 + 6) * 40 + 4 * 30,
        (CODE, "T2"): (5 + 3) * 40 + 2 * 30,
    }
    assert missing(office) == []


def held(office):
    """Differences in the queue, by code, each with its zone."""
    return [(row["code"], row["zone"]) for row in office("suspects", "--json").rows]


@pytest.mark.parametrize("hour", [11, 14], ids=["the same hour", "another hour"])
def test_the_reading_of_a_handover_is_nobodys_to_replace_but_an_operators(office, hour):
    put(office, {"user_code": NEW_HOLDER, "valid_from": "2026-10-15"})
    send(office, (METER, "20261001", 100, 50), at="2026-10-01")
    assert send(office, (METER, "2026101511", 105, 55), at="2026-10-15") == (set(), 2)

    other = (METER, f"20261015{hour}", 107, 55)
    told, _ = send(office, other, at="2026-10-16", code=NEW_HOLDER)
    assert told == {"held-by-holder"}
    assert held(office) == [("held-by-holder", "T1")]
    assert send(office, (METER, "20261101", 115, 65), at="2026-11-01", code=NEW_HOLDER)[0] == set()

    # The former holder's late letter: a day of his own, and the day of the act once more.
    late = [(METER, "20261014", 104, 54), (METER, "2026101511", 105, 55)]
    assert send(office, *late, at="2026-11-02") == (set(), 4)
    assert billed(office) == {
        (CODE, "T1"): 200, (CODE, "T2"): 200, (NEW_HOLDER, "T1"): 400, (NEW_HOLDER, "T2"): 400,
    }  # fmt: skip
    rows = office("readings", "--period", "2026-10", "--grain", "billing", "--json").rows
    assert {row["quality"] for row in rows if row["point"] == POINT and row["consumption"]} == {
        "valid"
    }

    typed = ("--meter", METER, "--zone", "T1", "--at", "2026-10-15T11:00", "--value", "106")
    assert office("enter", "--entity", NEW_HOLDER, *typed, "--reason", "both signed it").code == 0
    assert billed(office)[CODE, "T1"] == 240

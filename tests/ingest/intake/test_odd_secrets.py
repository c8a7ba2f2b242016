"""Passwords in places that nobody would look for them: told, logged and stored nowhere.

Each password is generated. Every letter goes through `process`; then whatever was said or
kept is searched: output, log, every row of every table, replies with their workbooks.
"""

import html
import io
import random
import sqlite3
import string
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pytest

from storage.ledger import Ledger
from tests.contract.test_secrets import everything_in
from tests.ingest.intake.test_secrets import CODE, letter, parts, revealed, xml

AT = ("--at", "2026-11-15T12:00")
CUT = ("-pass: ", ", код: ", "\tПароль: ")
"""What ends a password: as one letter names it, it is two."""
LABELS = ("Пароль", "Код", "Parol", "pass", "login", "user code")


def passwords():
    """Each with the halves that nothing else on earth has in it."""
    chosen = random.Random(15)

    def half():
        return "".join(chosen.choices(string.ascii_letters, k=6)) + chosen.choice("123456789")

    for between in ('&<"', "&amp;", "'>", '"&quot;<', *LABELS, " пароль ", "\\u0026", *CUT):
        halves = half(), half()
        yield halves[0] + between + halves[1], halves
    number = "".join(chosen.choices("3456789", k=17))
    yield number, (number,)


PASSWORDS = list(passwords())
RIGHT = [PASSWORDS[0], PASSWORDS[LABELS.index("Parol") + 4], PASSWORDS[-1]]


def package(points):
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<package class="52005" version="2" sender_code="{CODE}" created="20261114193232">\n'
        + "".join(
            f'<point code="{html.escape(point)}" channel="A+">'
            '<consumption date_time="2026110100" energy="0.067"/></point>\n'
            for point in points
        )
        + "</package>"
    ).encode()


def registers(password):
    given = html.escape(password)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<package class="52006" version="1" sender_code="{CODE}" created="20261101091500">\n'
        f'<meter number="{given}" point="{CODE}-01">'
        '<reading date_time="2026110100" channel="A+" zone="T1" value="12345.67"/></meter>\n'
        f'<meter number="07512345" point="{given}">'
        '<reading date_time="2026110100" channel="A+" zone="T2" value="2345.60"/></meter>\n'
        f'<meter number="07512345" point="{CODE}-01">'
        f'<reading date_time="2026110100" channel="{given}" zone="{given}" value="{given}"/>'
        "</meter>\n</package>"
    ).encode()


def half_hours(password):
    given = html.escape(password)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<message class="80020" version="2" number="1">'
        "<datetime><day>20261109</day><timestamp>20261110090050</timestamp>"
        f"<daylightsavingtime>0</daylightsavingtime></datetime><comment>{given}</comment>"
        f"<sender><name>{given}</name><inn>3300000001</inn></sender>"
        f'<area timezone="1"><inn>{given}</inn><name>{given}</name>'
        f'<measuringpoint code="{given}" name="{given}"><measuringchannel code="01" desc="{given}">'
        '<period start="0000" end="0030"><value>1131</value></period>'
        "</measuringchannel></measuringpoint></area></message>"
    ).encode()


def workbook(password, point):
    book = openpyxl.Workbook()
    page = book.active
    for row in (
        ["Макет", "52005"],
        ["Код пользователя", CODE],
        ["Пароль", password],
        ["Код точки", point],
        ["Месяц", "2026-11"],
        ["Единица", "МВт·ч"],
        ["Дата", *map(str, range(24))],
        ["01.11.2026", "нет", *[0.05] * 23],
    ):
        page.append(row)
    page.oddHeader.center.text = password
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def swapped(password):
    """Code and password, each in the other's place."""
    return xml(CODE).replace(
        f'sender_code="{CODE}"'.encode(), f'sender_code="{html.escape(password)}"'.encode()
    )


def proven(password):
    """Letters that name a password with a label, and hold it elsewhere, too."""
    said = f"Код: {CODE}\nПароль: {password}"
    in_id = quote(password, safe="&'\"!$%*+/=?^_`{|}~-;,#().:")
    plain = {"body": said, "files": [("a.xml", xml())]}
    yield "headers", letter(password, **plain, X_Mailer=password, Comments=f"«{password}»")
    yield "their ids", letter(password, **plain, References=f"<{in_id}@a> <b@{in_id}>")
    own = letter(password, **plain).replace(b"<1@primer.example>", f"<{in_id}@p>".encode())
    yield "its id", own
    yield "a point", letter(password, body=said, files=[("a.xml", package([password]))])
    some = package([CODE, password])
    yield "one of the points", letter(password, body=said, files=[("a.xml", some)])
    yield "a meter", letter(password, body=said, files=[("a.xml", registers(password))])
    yield "an area", letter(password, body=said, files=[("a.xml", half_hours(password))])
    yield (
        "a point's cell",
        letter(password, files=[("a.xlsx", workbook(password, password))]),
    )
    yield "a marked workbook", letter(password, files=[("a.xlsx", workbook(password, CODE))])
    yield (
        "Parol:",
        letter(password, body=f"Kod: {CODE}\nParol: {password}", files=[("a.xml", xml())]),
    )
    yield (
        "Parol: and a point",
        letter(
            password, body=f"Kod: {CODE}\nPAROL: {password}", files=[("a.xml", package([password]))]
        ),
    )
    version = xml().replace(b'version="1"', f'version="{html.escape(password)}"'.encode())
    yield "a version", letter(password, body=said, files=[("a.xml", version)])
    yield "swapped", letter(password, body=said, files=[("a.xml", swapped(password))])
    if not password.isdecimal():
        # One of digits alone is a user code that nobody has.
        yield "swapped alone", letter(password, files=[("a.xml", swapped(password))])


def unproven(password):
    """Letters that name it nowhere: no one can know it to be one."""
    bare = [("a.xml", xml())]
    yield "subject", letter("", subject=f"Показания {password}", files=bare)
    yield "subject alone", letter("", subject=password)
    other = f"Код: {CODE}\nПароль: another-1-wrong"
    yield "subject and another", letter("", subject=f"{CODE} {password}", body=other, files=bare)


def found_in(halves, *told):
    for content in told:
        for piece in revealed(content):
            for half in halves:
                for form in (half.encode(), half.encode("utf-16-le"), half.encode("utf-16-be")):
                    at = piece.find(form)
                    if at >= 0:
                        yield piece[max(0, at - 150) : at + 100].decode("utf-8", "replace")


def everything_kept(folder):
    for file in Path(folder).glob("ingest.*"):
        yield file.read_bytes()
    yield from everything_in("sqlite:///ingest.db")
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.reading() as store:
        for row in store.letters.find():
            for reply in store.letters.details(row.id).replies:
                yield from parts(reply.content)
    ledger.close()


def settled():
    with closing(sqlite3.connect("ingest.db")) as database:
        return database.execute("SELECT outcome, subject FROM letter ORDER BY id").fetchall()


@pytest.fixture
def watched(service):
    """A service that logs everything it can into a file."""
    service.write("ingest.toml", '[log]\nlevel = "debug"\nfile = "ingest.log"')
    (service.folder / "in").mkdir()
    return service


def told_and_kept(service):
    """Whatever `process` and the verbs that look say, and all that is kept."""
    ran = service("process", "in", *AT, "--json")
    assert ran.code == 0
    yield ran.out.encode()
    yield ran.err.encode()
    for number in range(1, len(ran.rows) + 1):
        shown = service("show", number, *["--json"][number % 2 :])
        assert shown.code == 0
        yield shown.out.encode()
    for verb in (["letters", "--json"], ["status"], ["tail"], ["audit", "verify"]):
        yield service(*verb).out.encode()
    yield from everything_kept(service.folder)


@pytest.mark.parametrize(("text", "halves"), RIGHT, ids=range(len(RIGHT)))
def test_wherever_the_right_password_stands_it_is_told_and_kept_nowhere(watched, text, halves):
    assert watched("password", CODE, stdin=text.encode()).code == 0
    letters = list(proven(text))
    for number, (name, content) in enumerate(letters):
        watched.write(f"in/{number:02} {name}.eml", content)
    assert list(found_in(halves, *told_and_kept(watched))) == []
    outcomes = settled()
    assert len(outcomes) == len(letters)
    assert {"accepted", "refused", "rejected"} <= {outcome for outcome, _ in outcomes}


def test_wherever_a_wrong_password_stands_it_is_told_and_kept_nowhere(watched):
    """Each letter has another place, and over the letters every place has several."""
    halves = []
    for number, (text, two) in enumerate(PASSWORDS * 2):
        name, content = list(proven(text))[(number + number // len(PASSWORDS)) % 12]
        watched.write(f"in/{number:02} {name}.eml", content)
        halves += two
    assert list(found_in(dict.fromkeys(halves), *told_and_kept(watched))) == []
    assert {outcome for outcome, _ in settled()} == {"refused"}


def test_the_subject_of_a_refused_letter_is_not_kept(watched):
    halves = []
    for number, (text, two) in enumerate(PASSWORDS):
        name, content = list(unproven(text))[number % 3]
        watched.write(f"in/{number:02} {name}.eml", content)
        halves += two
    assert list(found_in(halves, *told_and_kept(watched))) == []
    assert settled() == [("refused", "")] * len(PASSWORDS)

"""Each code of letters and of reading through `process`, and a near miss beside it.

The codes of the rules are in tests/layouts/rules/test_codes_through_process.py.
Every case has two installations of its own with their letters in order; the findings
of the last letter, its own and those of its documents, count.
"""

import io
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

import pytest
from openpyxl import Workbook

from ingest.engine.files import process
from ingest.intake.attempt import PolicyIntake
from ingest.intake.authenticate import Guard, Prover
from ingest.intake.passwords import Passwords
from ingest.intake.policy import Policy
from ingest.letters.terms import Limits
from ingest.replies.message import ReplySettings
from ingest.transports.files import LettersInFiles
from layouts.findings import Code
from layouts.layout import load
from parsers.trees import MOST_BYTES
from storage.ledger import Ledger
from tests.direct_reader import DirectReader
from tests.ingest.invocation import SAMPLES
from tests.layouts.rules import test_codes_through_process as rules
from tests.registering import read_registry, register

NOW = datetime(2026, 11, 15, 9, 0, tzinfo=UTC)
CODE = "200000001234"
LOGIN = f"Код: {CODE}\nПароль: Zima-2026\n"
LISTED = "buh@primer.example"
LAYOUTS = load()
PASSWORDS = Passwords()


def letter(*documents, body=LOGIN, sender=LISTED, again=0):
    """A letter as bytes; `again` makes it another one with the same in it."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, "meters@example.ru", "readings"
    message["Message-ID"] = f"<{again}@primer.example>"
    message.set_content(body)
    for name, content in documents:
        message.add_attachment(
            content, maintype="application", subtype="octet-stream", filename=name
        )
    return message.as_bytes()


def sample(path):
    file = SAMPLES / path
    return letter((file.name, file.read_bytes()))


def hours(
    date_time="2026110100",
    energy="0.067",
    about=f'class="52005" version="1" sender_code="{CODE}" created="20261114193232"',
    before="",
):
    """A 52005 of one hour."""
    row = f'<consumption date_time="{date_time}" energy="{energy}"/>'
    text = f'<?xml version="1.0" encoding="utf-8"?>\n{before}<package {about}>\n{row}\n</package>'
    return text.encode()


def sent(name="hours.xml", /, **parts):
    return letter((name, hours(**parts)))


def about(**changes):
    """The attributes of the root, some of them changed or, as None, left out."""
    plain = {
        "class": "52005", "version": "1", "sender_code": CODE, "created": "20261114193232",
    }  # fmt: skip
    given = {**plain, **{name.rstrip("_"): value for name, value in changes.items()}}
    return " ".join(f'{name}="{value}"' for name, value in given.items() if value is not None)


def named(name, encoding="utf-8"):
    text = f'<?xml version="1.0" encoding="utf-8"?><package {about(sender_name=name)}>'
    row = '<consumption date_time="2026110100" energy="0.067"/></package>'
    return letter(("hours.xml", (text + row).encode(encoding)))


def zipped(size):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hours.xml", hours() + b" " * (size - len(hours())))
    return letter(("hours.zip", packed.getvalue()))


def padded(size):
    return letter(("hours.xml", hours(before="<!--" + " " * (size - len(hours()) - 7) + "-->")))


def wrong(times):
    """Letters with a wrong password."""
    return [
        letter(("a.xml", hours()), body=LOGIN.replace("Zima", "Leto"), again=n + 1)
        for n in range(times)
    ]


@dataclass(frozen=True)
class Case:
    """A code, the letters that raise it, those that nearly do, and the installation."""

    code: str
    raising: bytes | list[bytes] | Callable[[], bytes]
    near: bytes | list[bytes] | Callable[[], bytes]
    guard: dict = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    layouts: tuple = (LAYOUTS, LAYOUTS)


def book(*rows, totals=None, labels=("Показание",), hidden=(), sheets=(), date="01.11.2026"):
    """A 52006 workbook: a row for each reading of T1, T2, …, its values below the labels."""
    workbook = Workbook()
    sheet = workbook.active
    for row in (("Макет", "52006"), ("Код пользователя", CODE), ("Дата показаний", date)):
        sheet.append(row)
    sheet.append(("№ прибора учёта", "Канал", "Зона", *labels))
    for number, values in enumerate(rows, 1):
        sheet.append(("07512345", "A+", f"T{number}", *values))
        sheet.row_dimensions[sheet.max_row].hidden = number in hidden
    if totals:
        sheet.append(("Итого", None, None, *totals))
    for title in sheets:
        workbook.create_sheet(title)["A1"] = "Просим учесть"
    content = io.BytesIO()
    workbook.save(content)
    return letter(("readings.xlsx", content.getvalue()), again=date)


def skipping(energy):
    """A 52005 of 28 March 2010, with so much in the hour that clocks skipped."""
    rows = "".join(
        f'<consumption date_time="20100328{h:02}" energy="{energy if h == 2 else 0.067}"/>'
        for h in range(24)
    )
    return letter(("hours.xml", f"<package {about()}>{rows}</package>".encode()))


def skipping_halves(value):
    """An 80020 of that day."""
    times = [f"{h:02}{m:02}" for h in range(24) for m in (0, 30)]
    periods = "".join(
        f'<period start="{first}" end="{last}" summer="{int(first > "0200")}">'
        f"<value>{value if first[:2] == '02' else 5}</value></period>"
        for first, last in zip(times, [*times[1:], "0000"], strict=True)
    )
    text = (
        '<message class="80020" version="2" number="1"><datetime>'
        "<timestamp>20261110090000</timestamp><daylightsavingtime>2</daylightsavingtime>"
        "<day>20100328</day></datetime><sender><inn>3300000001</inn></sender>"
        '<area timezone="1"><inn>3300000001</inn><measuringpoint code="9">'
        f'<measuringchannel code="01">{periods}</measuringchannel>'
        "</measuringpoint></area></message>"
    )
    return letter(("day.xml", text.encode()))


def skipping_sheet(energy):
    """A workbook of that month with a row for each day."""
    workbook = Workbook()
    sheet = workbook.active
    for row in (("Макет", "52005"), ("Код пользователя", CODE), ("Единица", "МВт*ч")):
        sheet.append(row)
    sheet.append(("Дата", *(f"{h:02}:00-{(h + 1) % 24:02}:00" for h in range(24))))
    for day in (27, 28, 29):
        drawn = [energy if (day, h) == (28, 2) else (h * 1000 + day) / 10**6 for h in range(24)]
        sheet.append((f"{day}.03.2010", *drawn))
    content = io.BytesIO()
    workbook.save(content)
    return letter(("hours.xlsx", content.getvalue()))


BEFORE_NOW = ("Предыдущее показание", "Текущее показание")
WITH_USE = (*BEFORE_NOW, "Разность показаний")
FIRST = book((100,), (50,), date="01.10.2026")
PLAIN = sent()
TWO = letter(("a.xml", hours()), ("b.xml", hours(energy="0.068")))
RIVAL = {**LAYOUTS, "52999": replace(LAYOUTS["52005"], number="52999", aliases=("52005",))}
STRANGER = {**LAYOUTS, "52999": replace(LAYOUTS["52005"], number="52999", aliases=())}
OTHER = "200000003080"
RAR = b"Rar!\x1a\x07\x01\x00" + bytes(60)
RATIO = ("Показание", "Коэффициент трансформации")

CASES = [
    Case("no-documents", letter(("photo.png", b"\x89PNG\r\n")), PLAIN),
    Case("credentials-missing", letter(("a.xml", hours()), body="Добрый день"), PLAIN),
    Case("credentials-wrong", wrong(1), [*wrong(1), PLAIN]),
    Case("credentials-conflict", sent(about=about(sender_code=OTHER)), PLAIN),
    Case("sender-locked", [*wrong(5), PLAIN], [*wrong(4), PLAIN]),
    Case(
        "address-not-allowed",
        letter(("a.xml", hours()), sender="zam@primer.example"),
        PLAIN,
        guard={"require_known_address": True},
    ),
    Case("letter-too-large", TWO, PLAIN, limits=Limits(letter_bytes=len(PLAIN))),
    Case("too-many-documents", TWO, PLAIN, limits=Limits(documents=1)),
    Case("unpacks-too-large", zipped(200_000), zipped(50_000), limits=Limits(unpacked_bytes=10**5)),
    Case("unreadable-document", sample("52005/cut-off.xml"), PLAIN),
    Case("encrypted-document", sample("52006/encrypted.xlsx"), sample("52006/readings.xlsx")),
    Case("forbidden-content", sent(before="<!DOCTYPE package>"), sent(before="<!-- DOCTYPE -->")),
    # Made when read: each is of megabytes.
    Case("too-costly", lambda: padded(MOST_BYTES + 1), lambda: padded(MOST_BYTES)),
    Case("unknown-layout", sent(about=about(class_="52007")), PLAIN),
    Case("ambiguous-layout", PLAIN, PLAIN, layouts=(RIVAL, STRANGER)),
    Case("unsupported-version", sent(about=about(version="9")), PLAIN),
    Case("missing-field", sent(about=about(created=None)), PLAIN),
    Case("invalid-code", sent(about=about(sender_code="20000000123Х")), PLAIN),
    Case("invalid-date", sent(date_time="2026113100"), sent(date_time="2026110100")),
    Case("invalid-number", sent(energy="0.067.1"), sent(energy="0.067")),
    Case("invalid-time", sent(date_time="2026110124"), sent(date_time="2026110123")),
    Case("invalid-number", sent(energy="1e-3"), sent(energy="0.001")),
    # Clocks skip that hour; systems of 24 hours a day write it as zero.
    Case("invalid-time", skipping("1"), skipping("0")),
    Case("invalid-time", skipping_halves("1"), skipping_halves("0")),
    Case("invalid-time", skipping_sheet(0.001), skipping_sheet(0)),
    Case("decimal-comma", sent(energy="0,067"), sent(energy="0.067")),
    Case("encoding-guessed", named("ООО «Пример»", "cp1251"), named("ООО «Пример»")),
    Case(
        "name-mismatch",
        sent(f"z52005{OTHER}20261114193232.xml"),
        sent(f"z52005{CODE}20261114193232.xml"),
    ),
    Case(
        "formula-without-value",
        sample("52006/formula-without-value.xlsx"),
        sample("52006/formula-libreoffice.ods"),
    ),
    Case("attachment-not-read", letter(("a.xml", hours()), ("b.rar", RAR)), PLAIN),
    Case("not-read", book((100,), (50,), sheets=("Пояснения",)), book((100,), (50,))),
    Case(
        "ambiguous-column",
        book((100, 101), (50, 51), labels=("Показание", "Показание")),
        book((100, 101), (50, 51), labels=BEFORE_NOW),
    ),
    Case("hidden-content", book((100,), (50,), hidden=(2,)), book((100,), (50,))),
    Case("total-differs", book((100,), (50,), totals=(151,)), book((100,), (50,), totals=(150,))),
    Case(
        "consumption-differs",
        book((90, 100, 77), (45, 50, 5), labels=WITH_USE),
        book((90, 100, 10), (45, 50, 5), labels=WITH_USE),
    ),
    Case(
        "previous-differs",
        [FIRST, book((90, 110), (50, 60), labels=BEFORE_NOW)],
        [FIRST, book((100, 110), (50, 60), labels=BEFORE_NOW)],
    ),
    Case(
        "ratio-differs",
        book((100, 99), (50, 99), labels=RATIO),
        book((100, 40), (50, 40), labels=RATIO),
    ),
    Case("skipped-element", sample("80020/other-channels.xml"), sample("80020/day.xml")),
]


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A database with the sample register of points, to be copied."""
    path = tmp_path_factory.mktemp("installed") / "ingest.db"
    registry = read_registry((SAMPLES / "registry.csv").read_bytes(), with_passwords=True)
    entities = [
        replace(entity, password_hash=PASSWORDS.hash(registry.passwords[entity.user_code]))
        for entity in registry.entities
    ]
    ledger = Ledger(f"sqlite:///{path}")
    ledger.migrate()
    with ledger.transaction() as store:
        register(store.registry, entities, "tests", NOW)
    ledger.close()
    return path


def codes_of(letters, case, layouts, installed, folder):
    """Codes of the last of these letters."""
    folder.mkdir()
    letters = letters() if callable(letters) else letters
    for number, content in enumerate([letters] if isinstance(letters, bytes) else letters):
        (folder / f"{number}.eml").write_bytes(content)
    shutil.copy(installed, folder / "ingest.db")
    ledger = Ledger(f"sqlite:///{folder / 'ingest.db'}")
    settings = ReplySettings("Meters <meters@example.ru>", key=b"k")
    guard = Guard(PASSWORDS, **case.guard)
    prover = Prover(ledger, guard, lambda: NOW)
    intake = PolicyIntake(Policy(layouts, settings, guard), prover)
    told = []
    reader = DirectReader(layouts, case.limits)
    letters = LettersInFiles(folder, NOW, case.limits.letter_bytes)
    process([letters], reader, ledger, intake, lambda: NOW, lambda *heard: told.append(heard))
    reader.close()
    ledger.close()
    _, _, handled = told[-1]
    of_documents = [item for receipt in handled.receipts for item in receipt.checked.findings]
    return {item.code.value for item in (*handled.findings, *of_documents)}


@pytest.mark.parametrize("case", CASES, ids=[case.code for case in CASES])
def test_the_code_is_told_of_what_raises_it_and_not_of_the_near_miss(case, installed, tmp_path):
    raising, near = (
        codes_of(letters, case, layouts, installed, tmp_path / name)
        for letters, layouts, name in zip(
            (case.raising, case.near), case.layouts, ("raising", "near"), strict=True
        )
    )
    assert case.code in raising
    assert case.code not in near


@pytest.mark.parametrize(
    ("made", "name", "values", "total"),
    [
        (skipping, "hours.xml", 23, 23 * 67_000),
        (skipping_halves, "day.xml", 46, 46 * 5_000),
        (skipping_sheet, "hours.xlsx", 71, 3 * 276_000 + 24 * (27 + 28 + 29) - 2028),
    ],
)
def test_a_day_is_read_without_the_zero_of_the_hour_that_clocks_skipped(
    run, made, name, values, total
):
    (part,) = message_from_bytes(made(0), policy=default).iter_attachments()
    ran = run("check", run.write(name, part.get_payload(decode=True)), "--json")

    [row] = ran.rows
    assert not {found["code"] for found in row["findings"]} - {"too-old", "late-submission"}
    assert [(one["count"], int(one["total"])) for one in row["series"]] == [(values, total)]


BY_OPERATORS = {"held-by-operator", "held-by-holder"}
"""What needs an operator's entry or another holder: contract/test_hand_in.py, test_acts.py."""


def test_every_code_has_a_case():
    cases = {case.code for case in (*CASES, *rules.CASES)}
    assert cases | BY_OPERATORS == {code.value for code in Code}

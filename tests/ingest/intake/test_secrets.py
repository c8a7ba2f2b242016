"""A password that a letter holds is told, logged and stored nowhere.

One that is unmistakable goes through every path, right and wrong; then everything
that was said or kept is searched for it, decoded as far as it goes.
"""

import io
import quopri
import resource
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage
from html import escape
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pytest

from storage.ledger import Ledger

CODE = "200000001234"
CORE = "Zhar7Ptitsa"
RIGHT = f"{CORE}&<42>"
WRONG = f"{CORE}&<43>"


def xml(password="", energy="0.067", name="Пример"):
    given = f' password="{escape(password)}"' if password else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<package class="52005" version="1" sender_code="{CODE}" sender_name="{escape(name)}"'
        f' created="20261114193232"{given}>\n'
        f'<consumption date_time="2026110100" energy="{escape(energy)}"/>\n</package>'
    ).encode()


def workbook(password, value=0.067, sheet="Показания"):
    book = openpyxl.Workbook()
    page = book.active
    page.title = sheet
    for row in (
        ["Макет", "52005"],
        ["Код пользователя", CODE],
        ["Пароль", password],
        ["Месяц", "2026-11"],
        ["Единица", "МВт·ч"],
        ["Дата", *map(str, range(24))],
        ["01.11.2026", value, *[0.05] * 23],
    ):
        page.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def letter(password, *, body="", subject="Показания", html="", files=(), **headers):
    mail = EmailMessage()
    mail["From"], mail["To"] = "buh@primer.example", "meters@retailer.example"
    mail["Subject"], mail["Message-ID"] = subject, "<1@primer.example>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(body or "Добрый день")
    if html:
        mail.add_alternative(html, subtype="html")
    for name, content in files:
        mail.add_attachment(content, maintype="application", subtype="octet-stream", filename=name)
    return mail.as_bytes()


def zipped(name, content):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def letters(password):
    """Every place that a password may stand in, with documents that pass and that fail."""
    said = f"Код: {CODE}\nПароль: {password}"
    yield "body", letter(password, body=said, files=[("a.xml", xml())])
    yield (
        "html",
        letter(
            password,
            html=f"<p>Код: {CODE}<br>Пароль: {escape(password)}</p>",
            files=[("a.xml", xml())],
        ),
    )
    yield (
        "subject",
        letter(
            password, subject=f"Показания, код: {CODE} пароль: {password}", files=[("a.xml", xml())]
        ),
    )
    yield "attribute", letter(password, files=[("a.xml", xml(password))])
    yield "cell", letter(password, files=[("a.xlsx", workbook(password))])
    yield "archive", letter(password, files=[("a.zip", zipped("a.xml", xml(password)))])
    yield "value", letter(password, body=said, files=[("a.xml", xml(energy=password))])
    yield "value and attribute", letter(password, files=[("a.xml", xml(password, password))])
    yield "value in a cell", letter(password, files=[("a.xlsx", workbook(password, password))])
    yield "sender's name", letter(password, files=[("a.xml", xml(password, "x", password))])
    yield (
        "sheet's name",
        letter(password, body=said, files=[("a.xlsx", workbook(password, "x", password))]),
    )
    yield (
        "names",
        letter(
            password,
            body=said,
            files=[
                (f"{password}.xml", xml(energy="x")),
                (f"{password}.pdf", b"%PDF-1.4"),
                (f"{password}.zip", zipped(f"{password}.xml", xml(energy="x"))),
            ],
        ),
    )
    yield "damaged", letter(password, files=[("a.xml", xml(password)[:-12])])
    yield "no document", letter(password, body=said)
    yield "wish", letter(password, subject="шаблон 52006", body=said)
    yield "auto-reply", letter(password, body=said, Auto_Submitted="auto-replied")
    yield (
        "conflict",
        letter(
            password,
            body=said.replace(CODE, "000000004711"),
            subject=f"Пароль: {password}",
            files=[("a.xml", xml(password))],
        ),
    )
    yield "quoted", letter(password, body="> " + said.replace("\n", "\n> "))
    yield "two", letter(password, body=said + "1", subject=f"Пароль: {password}")


def revealed(content):
    """The bytes, and whatever they hold once unpacked and decoded."""
    yield content
    yield quopri.decodestring(content)
    if content.startswith(b"PK\x03\x04"):
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for name in archive.namelist():
                yield from revealed(archive.read(name))


def parts(content):
    """A reply's headers and parts, decoded."""
    mail = message_from_bytes(content, policy=policy.default)
    yield content
    yield "\n".join(f"{name}: {value}" for name, value in mail.items()).encode()
    for part in mail.walk():
        if not part.is_multipart():
            yield str(part.get_filename()).encode()
            # As it is: a workbook decoded as text once more is no workbook.
            yield part.get_payload(decode=True)


def assert_unsaid(*told):
    for content in told:
        for piece in revealed(content):
            for form in (CORE, quote(CORE), CORE.encode("utf-16-le"), CORE.encode("utf-16-be")):
                needle = form if isinstance(form, bytes) else form.encode()
                at = piece.find(needle)
                assert at < 0, piece[max(0, at - 200) : at + 100].decode("utf-8", "replace")


@pytest.fixture
def secretive(service):
    """A service that logs everything it can into a file."""
    service.write("ingest.toml", '[log]\nlevel = "debug"\nfile = "ingest.log"')
    assert service("password", CODE, stdin=RIGHT.encode()).code == 0
    return service


def everything_kept():
    for file in Path().glob("ingest.*"):
        yield file.read_bytes()
    ledger = Ledger("sqlite:///ingest.db")
    with ledger.reading() as store:
        for row in store.letters.find():
            for reply in store.letters.details(row.id).replies:
                yield from parts(reply.content)
    ledger.close()


@pytest.mark.parametrize("password", [RIGHT, WRONG], ids=["right", "wrong"])
def test_process_tells_and_keeps_no_password(secretive, password):
    (secretive.folder / "in").mkdir()
    for number, (name, content) in enumerate(letters(password)):
        secretive.write(f"in/{number:02} {name}.eml", content)
    at = ("--at", "2026-11-15T12:00")
    for words in (["--dry-run"], ["--json"]):
        ran = secretive("process", "in", *at, *words)
        assert ran.code == 0
        assert_unsaid(ran.out.encode(), ran.err.encode())
    outcomes = {row["source"]: row["outcome"] for row in ran.rows}
    assert len(outcomes) == len(list(letters(password)))
    assert ("accepted" in outcomes.values()) == (password == RIGHT)
    assert "refused" in outcomes.values()
    assert_unsaid(*everything_kept())
    for verb in (["letters"], ["letters", "--json"], ["status"], ["registry", "show", CODE]):
        assert_unsaid(secretive(*verb).out.encode())
    for number in range(1, len(outcomes) + 1):
        for words in ([], ["--json"]):
            assert_unsaid(secretive("show", number, *words).out.encode())
    assert_unsaid(secretive("tail").out.encode())


@pytest.mark.parametrize("language", ["ru", "en"])
def test_check_tells_no_password(run, language):
    for number, (_, content) in enumerate(letters(RIGHT)):
        run.write(f"{number:02}.eml", content)
        for words in ([], ["--json"]):
            ran = run("check", f"{number:02}.eml", "--language", language, *words)
            assert_unsaid(ran.out.encode(), ran.err.encode())
    files = {"a.xml": xml(RIGHT, RIGHT, RIGHT), "a.xlsx": workbook(RIGHT, RIGHT)}
    for name, content in files.items():
        run.write(name, content)
        ran = run("check", name, "--json", "--language", language)
        assert_unsaid(ran.out.encode(), ran.err.encode())


def test_the_password_verb_keeps_only_a_hash(secretive):
    ran = secretive("password", CODE, stdin=WRONG.encode())
    assert_unsaid(ran.out.encode(), ran.err.encode(), *everything_kept())


def test_a_register_with_passwords_tells_none(run):
    head = "user_code;password;name"
    for text in (f"{head}\n1;{RIGHT};А\n", f"user_code;password\n{CODE};{RIGHT}\n"):
        run.write("registry.csv", text)
        for words in ([], ["--with-passwords"]):
            ran = run("registry", "import", "registry.csv", *words)
            assert_unsaid(ran.out.encode(), ran.err.encode())


def test_no_core_file_is_ever_written(run):
    run("layouts")
    assert resource.getrlimit(resource.RLIMIT_CORE) == (0, 0)

"""Nothing in a letter writes a header, a recipient or a part of its own into the reply.

Hostile values go through the whole pipeline, from bytes to the bytes that leave; the
reply is read back by the standard library, which did not write it.
"""

import re
from base64 import b64encode
from email import message_from_bytes, policy

import pytest

from tests.ingest.office import ADDRESS, CODE, OURS, PASSWORD, mail, office_with, xml

VICTIM = "victim@elsewhere.example"
LINES = [
    f"x\r\nBcc: {VICTIM}",
    f"x\nBcc: {VICTIM}",
    f"x\rBcc: {VICTIM}",
    f"x\r\n\tBcc: {VICTIM}\r\n\r\n<b>buy</b>",
    f"x\x0bBcc: {VICTIM}\x0c",
    f"x\x85Bcc: {VICTIM}",
    f"x\u2028Bcc: {VICTIM}\u2029",
    f"x\0\r\nBcc: {VICTIM}",
    f'x"; \r\nBcc: {VICTIM}; filename="y',
    "x\r\nContent-Type: text/html\r\n\r\n<script>",
    "x\r\n--=_a\r\n",
    "x\u202ecod.exe",
    "\ud83d",
    "x" * 5000,
    "я" * 5000,
    "=?utf-8?q?=0D=0ABcc:_" + VICTIM + "?=",
]
NAMES = {"from", "to", "subject", "date", "message-id", "auto-submitted", "mime-version"}
NAMES |= {"x-auto-response-suppress", "content-type", "in-reply-to", "references"}


@pytest.fixture
def office(ledger):
    return office_with(ledger)


def word(text):
    """An encoded word, which may hold anything."""
    return f"=?utf-8?b?{b64encode(text.encode('utf-8', 'surrogatepass')).decode()}?="


def percent(text):
    """The value of a parameter as RFC 2231 has it, which may hold anything."""
    octets = text.encode("utf-8", "surrogatepass")
    return "utf-8''" + "".join(f"%{octet:02X}" for octet in octets)


def raw(text):
    """As it stands: what ends a line ends it."""
    return text.encode("utf-8", "replace").decode("utf-8")


WRITTEN = {"encoded": word, "raw": raw}
AUTHENTICATED = {True: f"Код: {CODE}\r\nПароль: {PASSWORD}", False: "Код: 555\r\nПароль: 777"}


def readings(*, subject="readings", sender=ADDRESS, head="", name="a.xml", known=True):
    content = mail(xml("0.067"), body=AUTHENTICATED[known], head=head, sender=sender).decode()
    content = content.replace("Subject: readings", f"Subject: {subject}")
    return content.replace('name="0.xml"', name if "*" in name else f'name="{name}"').encode()


def checked(handled, recipients=(ADDRESS,)):
    """The reply, when it is one: each header once, none but ours, one recipient."""
    answer = handled.reply
    assert answer is not None
    assert answer.recipient in recipients
    head, _, _ = answer.content.partition(b"\r\n\r\n")
    assert re.fullmatch(rb"(?:[A-Za-z-]+: [\x20-\x7e]*(?:\r\n [\x20-\x7e]+)*\r\n)+", head + b"\r\n")
    message = message_from_bytes(answer.content, policy=policy.default)
    names = [name.lower() for name in message.keys()]  # noqa: SIM118 - each as often as it stands
    assert len(names) == len(set(names))
    assert set(names) <= NAMES
    [to] = message["to"].addresses
    [ours] = message["from"].addresses
    assert (to.addr_spec, ours.addr_spec) == (answer.recipient, OURS)
    for part in message.walk():
        assert not part.defects
        assert not any(value.defects for value in part.values())
        for name in ("content-type", "content-disposition"):
            assert len(part.get_all(name, [])) <= 1
        file = part.get_filename("")
        assert not re.search(r"[\x00-\x1f\x7f\u0085\u2028\u2029/\\]", file)
    kinds = [part.get_content_type() for part in message.walk() if not part.is_multipart()]
    assert kinds[:2] == ["text/plain", "text/html"]
    assert len(kinds) == (3 if handled.entity else 2)
    return message


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("line", LINES)
def test_a_subject_stays_one_line(office, line, written, known):
    handled = office.takes(readings(subject=WRITTEN[written](line), known=known))
    message = checked(handled)
    assert len(message["subject"]) < 300
    if not known:
        assert "x" not in message["subject"]


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("line", LINES)
def test_a_display_name_adds_no_recipient(office, line, known):
    name = word(line[:1000])
    for sender in (f"{name} <{ADDRESS}>", f'"{name}" <{ADDRESS}>'):
        checked(office.takes(readings(sender=sender, known=known)))


ADDRESSES = [
    f"{ADDRESS}, {VICTIM}",
    f"<{ADDRESS}>, <{VICTIM}>",
    f"group: {ADDRESS}, {VICTIM};",
    f"{ADDRESS}\r\n {VICTIM}",
    f"{ADDRESS}\r\nBcc: {VICTIM}",
    f"{ADDRESS}%0d%0aBcc:{VICTIM}",
    f"<{ADDRESS}>\0<{VICTIM}>",
    f"{ADDRESS}>\r\nRCPT TO:<{VICTIM}",
    f'"{VICTIM}" <{ADDRESS}>',
]


@pytest.mark.parametrize("header", ["From", "Reply-To"])
@pytest.mark.parametrize("value", ADDRESSES)
@pytest.mark.parametrize("encoded", [True, False])
def test_however_many_addresses_there_are_one_gets_the_reply(office, header, value, encoded):
    value = word(value) if encoded else value
    about = {"sender": value} if header == "From" else {"head": f"Reply-To: {value}\r\n"}
    handled = office.takes(readings(**about))
    assert handled.entity
    if handled.reply is not None:
        checked(handled, recipients=(ADDRESS, VICTIM))


@pytest.mark.parametrize(
    "address",
    ['"a\r\nb"@primer.example', "-oX@primer.example\r\n", "a b@primer.example", "a@b@c", "@", "a@"],
)
def test_an_address_that_is_none_gets_nothing_and_breaks_nothing(office, address):
    handled = office.takes(readings(sender=f"<{word(address)}>"))
    assert handled.entity
    if handled.reply is not None:
        recipient = handled.reply.recipient
        assert re.fullmatch(r"[a-z0-9.-]+@[a-z0-9.-]+", recipient)
        checked(handled, recipients=(recipient,))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("line", LINES)
def test_a_file_name_adds_nothing(office, line, known):
    for name in (word(line), f"name*={percent(line + '.xml')}"):
        checked(office.takes(readings(name=name, known=known)))


@pytest.mark.parametrize("line", LINES)
def test_a_name_of_what_is_no_document_adds_nothing(office, line):
    content = readings(name=f"name*={percent(line)}", known=False)
    content = content.replace(b"text/xml", b"image/png").replace(b"<package", b"<picture")
    handled = office.takes(content.replace("Код: 555\r\nПароль: 777".encode(), b"hello"))
    checked(handled)


@pytest.mark.parametrize("header", ["Message-ID", "References", "In-Reply-To"])
@pytest.mark.parametrize("line", LINES)
def test_ids_of_letters_are_ids_or_nothing(office, header, line):
    for value in (f"<{line}@x>", word(f"<1@x>\r\nBcc: {VICTIM}"), word(line)):
        written = raw(value).replace("\r\n\r\n", "\r\n ")
        content = readings().replace(b"Message-ID: <1@primer.example>\r\n", b"")
        content = f"{header}: {written}\r\n".encode() + content
        message = checked(office.takes(content))
        for name in ("in-reply-to", "references"):
            assert VICTIM not in str(message.get(name, "")).replace(f"<{VICTIM}>", "")

"""Letters with documents as senders write them, and the replies that are owed to them."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

from storage.ledger import Ledger

CODE, PASSWORD = "200000001234", "Zima-2026"
AT = "2026-11-02T09:41"


def letter(
    *documents: tuple[str, bytes],
    subject: str = "Показания за октябрь",
    answered: EmailMessage | None = None,
    login: str = f"Код: {CODE}\nПароль: {PASSWORD}\n",
) -> bytes:
    """A letter with code and password; one that answers a reply quotes it below."""
    made = EmailMessage()
    made["From"] = "buh@primer.example"
    made["Message-ID"] = f"<{sum(len(content) for _, content in documents)}@primer.example>"
    made["Subject"] = f"Re: {answered['Subject']}" if answered is not None else subject
    text = login
    if answered is not None:
        made["In-Reply-To"] = made["References"] = answered["Message-ID"]
        quoted = "\n".join(f"> {line}" for line in text_of(answered).splitlines())
        text = f"Исправили.\n{text}\n01.11.2026, Приём показаний пишет:\n{quoted}\n"
    made.set_content(text)
    for name, content in documents:
        made.add_attachment(content, "application", "octet-stream", filename=name)
    return made.as_bytes()


def text_of(message: EmailMessage) -> str:
    """The text part of a reply."""
    body = message.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def reply_of(number: int) -> EmailMessage:
    """The reply that is owed to a letter of the database in this folder."""
    ledger = Ledger("sqlite:///ingest.db")
    try:
        with ledger.transaction() as store:
            owed = store.outbox.lease(limit=100)
    finally:
        ledger.close()
    (content,) = [one.content for one in owed if one.letter == number]
    message = message_from_bytes(content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message

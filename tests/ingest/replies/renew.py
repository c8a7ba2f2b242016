"""Writes again what is made from the texts: golden replies and three documents.

    python -m tests.ingest.replies.renew

Read the difference before committing it: these files are what senders will see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import partial
from pathlib import Path

from ingest.replies.texts import advice, sentence, title
from ingest.replies.wording import wording
from layouts.findings import Code, Severity, finding, severity_of
from layouts.terms import LANGUAGES
from storage.records.replies import OwedReply
from tests.ingest.replies.cases import CASES

ROOT = Path(__file__).parents[3]
GOLDEN = Path(__file__).parent / "golden"
GUIDE = ROOT / "docs" / "senders-guide.ru.md"
BEGIN = "<!-- findings: made by tests/ingest/replies/renew.py -->"
END = "<!-- end of findings -->"


def opened(owed: OwedReply) -> EmailMessage:
    """A reply as a mail program sees it."""
    message = message_from_bytes(owed.content, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def body(message: EmailMessage, kind: str) -> str:
    """The text or HTML of a reply, with plain line ends."""
    part = message.get_body((kind,))
    assert part is not None
    return str(part.get_content()).replace("\r\n", "\n")


def expected() -> Iterator[tuple[Path, Callable[[], str]]]:
    """Every file that is made, with what makes its content."""
    for language in LANGUAGES:
        for name, make in CASES.items():
            yield GOLDEN / language / f"{name}.txt", partial(_text, make, language)
            yield GOLDEN / language / f"{name}.html", partial(_html, make, language)
    yield ROOT / "docs" / "replies.md", _replies
    yield ROOT / "docs" / "findings.md", _findings
    yield GUIDE, _guide


def _text(make: Callable[[str], OwedReply], language: str) -> str:
    message = opened(make(language))
    return f"Subject: {message['Subject']}\n\n{body(message, 'plain')}"


def _html(make: Callable[[str], OwedReply], language: str) -> str:
    return body(opened(make(language)), "html")


def _replies() -> str:
    head = (
        "# Replies\n\n"
        "What a sender gets, for each verdict: the text part, then the source of the HTML part.\n"
        "Made by `python -m tests.ingest.replies.renew`; a test keeps it true. The\n"
        "machine-readable receipt beside them is described by `layouts/80021.xsd`.\n"
    )
    told = [head]
    for name, make in CASES.items():
        message = opened(make("ru"))
        told.append(
            f"\n## {name.replace('_', ' ').capitalize()}\n\n"
            f"```text\nSubject: {message['Subject']}\n\n{body(message, 'plain')}```\n\n"
            "<details><summary>HTML</summary>\n\n"
            f"```html\n{body(message, 'html')}```\n\n</details>\n"
        )
    return "".join(told)


def _findings() -> str:
    head = (
        "# Findings\n\n"
        "Every code that a reply, a receipt, `check --json` or `process --json` may carry. Codes\n"
        "are a contract; texts may change. Made from the catalogues in\n"
        "`ingest/replies/templates/` by `python -m tests.ingest.replies.renew`; a test keeps\n"
        "it true.\n"
        "\n| code | severity | when | what the sender does |\n|---|---|---|---|\n"
    )
    rows = [head]
    for code in Code:
        told = sentence(finding(code), "en")
        if code is Code.FOREIGN_POINT:
            told = "The point is another sender's; senders are told `unknown-point`."
        rows.append(f"| {code} | {severity_of(code)} | {told} | {advice(code, 'en')} |\n")
    return "".join(rows)


def _guide() -> str:
    before, rest = GUIDE.read_text(encoding="utf-8").split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n{_table()}{END}{after}"


def _table() -> str:
    words = wording("ru")
    rows: dict[str, str] = {}
    for weight in Severity:
        for code in Code:
            if severity_of(code) is not weight or finding(code).public_code is not code:
                continue
            told = f"{sentence(finding(code), 'ru')} | {advice(code, 'ru')}"
            rows.setdefault(f"{title(code, 'ru')} | {words.say(weight.value)} | {told}", "")
    head = "| замечание | важность | что это значит | что сделать |\n|---|---|---|---|\n"
    return head + "".join(f"| {row} |\n" for row in rows)


def main() -> None:
    """Write every file."""
    for path, content in expected():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content(), encoding="utf-8")


if __name__ == "__main__":
    main()

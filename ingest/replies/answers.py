"""The three answers: to an authenticated sender, to a stranger, and "we are looking"."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import PurePath

from ingest.letters.outcome import overall
from ingest.letters.secrets import Masker, telling_secrets
from ingest.letters.terms import Letter, Marked
from ingest.replies import view
from ingest.replies.message import (
    XLSX,
    Answered,
    File,
    ReplySettings,
    compose,
    one_line,
)
from ingest.replies.receipt_xml import receipt_xml
from ingest.replies.rendering import written
from ingest.replies.repeats import SHOWN_MOST
from ingest.replies.texts import sentence
from ingest.replies.view import ReplyView
from ingest.replies.wording import Wording, wording
from layouts.findings import NOWHERE, Code, Finding, Severity, finding
from layouts.known import Receipt
from layouts.points import LegalEntity
from storage.records.billing import Entry
from storage.records.replies import OwedReply

ATTACHED_MOST_BYTES = 2_200_000
"""Attachments before base64, which makes them a third larger; a reply stays under 5 MB."""

STRANGERS_MOST_BYTES = 1500
"""Of a whole mail to somebody whom nobody knows."""

_RECEIPT_FINDINGS = ((2000, SHOWN_MOST), (20_000, SHOWN_MOST // 10), (150_000, 1))
"""Up to how many findings of a letter its receipts list how many of each code; over the
last bound they are only counted."""

_NUMBERS_MOST = 5
_ECHO_MOST = 90
_AUTHENTICATION = {
    Code.CREDENTIALS_MISSING,
    Code.CREDENTIALS_WRONG,
    Code.SENDER_LOCKED,
}
_REFUSALS = {
    Code.NO_DOCUMENTS: "no_documents",
    Code.CREDENTIALS_CONFLICT: "conflict",
    Code.ADDRESS_NOT_ALLOWED: "address",
    Code.LETTER_TOO_LARGE: "limits",
    Code.TOO_MANY_DOCUMENTS: "limits",
    Code.UNPACKS_TOO_LARGE: "limits",
    Code.TOO_COSTLY: "limits",
}


def reply(
    letter: Letter,
    entity: LegalEntity,
    receipts: Sequence[Receipt],
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
    marked: Mapping[int, Marked | None] | None = None,
    entry: Entry | None = None,
) -> OwedReply:
    """The answer to an authenticated sender: every document's verdict and receipt.

    Its recipient is '' when the letter names no address that mail can go to; then
    it has no content either and must not be owed.

    Args:
        letter: The letter answered; only its `reply_to` gets the reply.
        entity: Who handed in.
        receipts: In document order; none when the letter had no document.
        now: When the reply is written.
        settings: How replies are written.
        letter_number: The letter's number in the ledger.
        marked: Workbooks with marks, by index into `receipts`; None for one that could not
            be made.
        entry: The operator who handed it in on the entity's behalf, and why.
    """
    words = wording(settings.language, settings.zone)
    findings = letter.findings or _no_documents(receipts)
    verdict = _verdict(receipts, findings)
    headline = _headline(verdict, receipts, words)
    hide = Masker(telling_secrets(letter, (one.parsed for one in receipts))).text
    files, told_of_files = _files(letter, receipts, marked or {}, words)
    told = ReplyView(
        headline=headline,
        tone=view.tone_of(verdict),
        lead=_lead(receipts, words, entry),
        entity=view.entity_line(entity, words),
        groups=view.letter_groups(findings, words),
        documents=_documents(receipts, settings, words),
        closing=_closing(letter, receipts, settings, told_of_files, words),
    )
    subject = f"{headline} — Re: {echo}" if (echo := _echo(letter.subject)) else headline
    text, page = map(hide, written(told, words, settings.signature))
    files = [file.mapped(hide) for file in files]
    subject = hide(subject)
    return compose(
        Answered.of(letter, letter_number), "reply", subject, (text, page), files, now, settings
    )


def refusal(
    letter: Letter,
    findings: Sequence[Finding],
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
    is_to_stranger: bool = False,
) -> OwedReply:
    """The answer to someone who is not authenticated, or sent nothing to authenticate.

    Missing, wrong and locked credentials are told in one and the same text. Nothing of
    what was sent goes back, names of files included. Its recipient is '' as with `reply`.

    Args:
        letter: The letter answered; only its `reply_to` gets the refusal.
        findings: Why, the reason first.
        now: When the refusal is written.
        settings: How replies are written.
        letter_number: The letter's number in the ledger.
        is_to_stranger: Keep it under `STRANGERS_MOST_BYTES`.
    """
    words = wording(settings.language, settings.zone)
    told_of = _public(findings)
    first = told_of[0].code if told_of else Code.CREDENTIALS_MISSING
    verdict = "refused" if first in _AUTHENTICATION else _REFUSALS.get(first, "unreadable")
    told = ReplyView(
        headline=words.word("verdict", verdict),
        tone="bad",
        lead=words.word("lead", "refused"),
        groups=view.letter_groups(told_of, words),
        closing=(words.say("automatic"),),
    )
    to = Answered.of(letter, letter_number)
    if is_to_stranger:
        return _brief(to, "refusal", told, now, settings)
    bodies = written(told, words, settings.signature)
    return compose(to, "refusal", told.headline, bodies, (), now, settings)


def notice(
    letter: Letter,
    now: datetime,
    settings: ReplySettings,
    *,
    letter_number: int,
    is_to_stranger: bool = False,
) -> OwedReply:
    """The answer to a letter that a person must look at.

    Its recipient is '' as with `reply`; to a stranger it is as short as a refusal.

    Args:
        letter: As it was read.
        now: The moment of it, aware.
        settings: Of replies.
        letter_number: Its number in the ledger.
        is_to_stranger: Whether nobody knows its recipient.
    """
    words = wording(settings.language, settings.zone)
    told = ReplyView(
        headline=words.word("verdict", "notice"),
        tone="plain",
        lead=words.word("lead", "notice"),
        closing=(words.say("received", moment=words.moment(now)),),
    )
    to = Answered.of(letter, letter_number)
    if is_to_stranger:
        return _brief(to, "notice", told, now, settings)
    return compose(
        to, "notice", told.headline, written(told, words, settings.signature), (), now, settings
    )


def _brief(
    to: Answered, kind: str, told: ReplyView, now: datetime, settings: ReplySettings
) -> OwedReply:
    """Text alone, with as much of it as has room: anybody's From makes us write it."""
    problems = [problem for group in told.groups for problem in group.problems]
    lines = [f"{told.headline}.", told.lead]
    lines += [text for problem in problems for text in (problem.sentence, problem.advice)]
    to = replace(to, references=(), message_id=to.message_id if len(to.message_id) < 120 else "")

    def mail(count: int) -> OwedReply:
        bodies = "\n".join(lines[:count]) + "\n", ""
        return compose(to, kind, told.headline, bodies, (), now, settings)

    fitting = (mail(count) for count in range(len(lines), 1, -1))
    fits = (one for one in fitting if len(one.content) < STRANGERS_MOST_BYTES)
    return replace(next(fits, mail(1)), is_to_stranger=True)


def _verdict(receipts: Sequence[Receipt], findings: Sequence[Finding]) -> str:
    if not receipts:
        return _REFUSALS.get(findings[0].code, "unreadable")
    outcomes = {view.outcome_of(receipt) for receipt in receipts}
    if outcomes == {"unreadable"}:
        return "unreadable"
    outcome = overall(receipts, findings).value
    is_remarked = "remarks" in outcomes or any(x.severity is Severity.WARNING for x in findings)
    return "remarks" if outcome == "accepted" and is_remarked else outcome


def _headline(verdict: str, receipts: Sequence[Receipt], words: Wording) -> str:
    told = words.word("verdict", verdict)
    if not receipts:
        return told
    numbers = [str(number) for number in sorted({receipt.number for receipt in receipts})]
    key = "receipt" if len(numbers) == 1 else "receipts"
    return f"{told}, {words.say(key, numbers=words.listed(numbers, _NUMBERS_MOST))}"


def _lead(receipts: Sequence[Receipt], words: Wording, entry: Entry | None) -> str:
    """What comes before everything else: who handed in, or readings left out unseen."""
    if entry is not None:
        return words.say("entered", reason=one_line(entry.reason, _REASON_MOST))
    if not receipts:
        return words.word("lead", "recognised")
    found = (item for receipt in receipts for item in receipt.checked.findings)
    hidden = [item for item in found if item.code is Code.HIDDEN_CONTENT]
    told = dict.fromkeys(sentence(item, words.language, words) for item in hidden)
    return " ".join(list(told)[:_LEADS_MOST])


def _echo(subject: str) -> str:
    """The letter's subject without what replies, ours among them, put before it."""
    bare = subject.rpartition(" — Re: ")[2]
    return _ANSWERS.sub("", bare)[:_ECHO_MOST].strip()


_LEADS_MOST = 3
_REASON_MOST = 500
_ANSWERS = re.compile(r"(?i)^(?:\s*(?:re|fwd?|fw|ha|отв|на|пересл)\s?(?:\[\d{1,3}\])?:)+\s*")


def _no_documents(receipts: Sequence[Receipt]) -> tuple[Finding, ...]:
    return () if receipts else (finding(Code.NO_DOCUMENTS),)


def _documents(
    receipts: Sequence[Receipt], settings: ReplySettings, words: Wording
) -> tuple[view.DocumentView, ...]:
    taken: Counter[Code] = Counter()
    rows_most = view.ROWS_MOST // max(len(receipts), 1)
    pages = f"{settings.public_url}/receipts/" if settings.public_url else ""
    return tuple(
        replace(
            view.document_view(receipt, words, taken, rows_most),
            link=f"{pages}{receipt.number}" if pages else "",
        )
        for receipt in receipts
    )


def _closing(
    letter: Letter,
    receipts: Sequence[Receipt],
    settings: ReplySettings,
    told_of_files: Sequence[str],
    words: Wording,
) -> tuple[str, ...]:
    lines = []
    if receipts:
        came = "received" if letter.message_id or letter.headers else "handed_in"
        lines.append(words.say(came, moment=words.moment(receipts[0].received_at)))
    else:
        lines.append(view.attachment_names(letter, words))
    lines += [
        view.timeliness(receipt, settings.deadline_of(receipt), words) for receipt in receipts
    ]
    if any(view.must_be_mended(receipt) for receipt in receipts):
        lines.append(words.say("send_again"))
    return tuple(line for line in (*lines, *told_of_files, words.say("automatic")) if line)


def _files(
    letter: Letter,
    receipts: Sequence[Receipt],
    marked: Mapping[int, Marked | None],
    words: Wording,
) -> tuple[list[File], list[str]]:
    """Attachments within their bound, and what the reply says of them."""
    files = _receipt_files(letter, receipts, words)
    told = []
    if files:
        told.append(words.say("attached_receipt" if len(files) == 1 else "attached_receipts"))
    room = ATTACHED_MOST_BYTES - sum(len(file.content) for file in files)
    for index, workbook in sorted(marked.items()):
        name = one_line(view.document_name(receipts[index], words), 100)
        if workbook is None or len(workbook.content) > room:
            told.append(words.say("too_large" if workbook else "not_marked", name=name))
            continue
        room -= len(workbook.content)
        files.append(File(_marked_name(name, words), workbook.content, *XLSX))
        told.append(words.say("attached_marked", name=name))
        if workbook.lost:
            what = ", ".join(words.word("lost", item) for item in workbook.lost)
            told.append(words.say("lost", what=what))
    return files, told


def _receipt_files(letter: Letter, receipts: Sequence[Receipt], words: Wording) -> list[File]:
    """A receipt for each document; when findings are legion, more of them are only counted."""
    findings = sum(len(receipt.checked.findings) for receipt in receipts)
    most = next((most for bound, most in _RECEIPT_FINDINGS if findings <= bound), 0)
    names = _receipt_names(receipts)
    return [
        File(name, receipt_xml(receipt, letter, words, most), "application", "xml")
        for name, receipt in zip(names, receipts, strict=True)
    ]


def _receipt_names(receipts: Sequence[Receipt]) -> Iterator[str]:
    """File names; two duplicates of one document share a receipt's number."""
    times: Counter[int] = Counter()
    for receipt in receipts:
        times[receipt.number] += 1
        again = f"_{times[receipt.number]}" if times[receipt.number] > 1 else ""
        yield f"80021_{receipt.number}{again}.xml"


def _marked_name(name: str, words: Wording) -> str:
    return f"{PurePath(name).stem} ({words.word('marks', 'checked')}).xlsx"


def _public(findings: Sequence[Finding]) -> list[Finding]:
    """Findings as a stranger may see them: one for every fault of the credentials."""
    told: dict[Code, Finding] = {}
    for item in filter(lambda item: item.is_error, findings):
        code = Code.CREDENTIALS_MISSING if item.code in _AUTHENTICATION else item.code
        # Why a file is no document is told in words of ours.
        detail = {"reason": why} if (why := item.detail.get("reason")) else {}
        kept = replace(item, code=code, seen=None, place=NOWHERE, detail=detail, count=1)
        told.setdefault(code, kept)
    return list(told.values()) or [finding(Code.CREDENTIALS_MISSING)]

"""Results for people and for scripts: the rows of `--json`, and tables and texts."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import TYPE_CHECKING, Any

import click

from ingest.operations.told import finding_json, local, minute, place_told
from layouts.findings import printable
from layouts.terms import LegalEntity, Meter, MeteringPoint

if TYPE_CHECKING:
    from ingest.operations.closing import Closing
    from ingest.operations.status import Status

    # `check` shows findings and knows of no database.
    from storage.records import (
        AuditEntry,
        CarriedValues,
        LetterDetails,
        LetterSummary,
        Lock,
        SentReply,
        SubmissionDetails,
        Undelivered,
    )

LETTER_COLUMNS = {
    "id": "id",
    "received_at": "received",
    "outcome": "outcome",
    "entity": "entity",
    "documents": "documents",
    "values": "values",
    "reply": "reply",
    "sender": "from",
    "subject": "subject",
    "why": "",
}


BOUNCE_COLUMNS = {
    "address": "address",
    "marked": "marked",
    "bounced": "came back",
    "undeliverable": "not taken",
    "last_at": "last",
    "letters": "letters",
    "error": "",
}


LOCK_COLUMNS = {
    "user_code": "code",
    "address": "from",
    "failures": "wrong",
    "since": "since",
    "until": "until",
    "why": "",
}


def lock_json(lock: Lock) -> dict[str, Any]:
    """One line of `locks`."""
    return {
        "user_code": lock.user_code,
        "address": lock.address or "strangers",
        "failures": lock.failures,
        "since": local(lock.since),
        "until": local(lock.until),
        "why": lock.why,
    }


def bounce_json(one: Undelivered) -> dict[str, Any]:
    """One line of `bounces`."""
    return {
        "address": one.address,
        "marked": one.is_marked,
        "bounced": one.bounced,
        "undeliverable": one.undeliverable,
        "last_at": local(one.last_at),
        "letters": list(one.letters),
        "error": one.last_error,
    }


def table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Print rows under headings, no wider than the terminal; uncut when it goes into a pipe."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(rows, columns, width):
        click.echo(line)


def table_lines(
    rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], width: int | None
) -> Iterator[str]:
    """The lines of a table. Columns that do not fit go to a second line of each row.

    Only what does not fit on that line either is cut, and ends in `…`.
    """
    cells = [tuple(columns.values()), *(tuple(_cell(row[key]) for key in columns) for row in rows)]
    longest = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None:
        longest = [min(each, width // 2) for each in longest]
    first, used = len(longest), 0
    for number, each in enumerate(longest):
        used += each + (2 if number else 0)
        if width is not None and used > width:
            first = number
            break
    for row in cells:
        together = zip(row[:first], longest, strict=False)
        yield "  ".join(_cut(cell, each).ljust(each) for cell, each in together).rstrip()
        rest = "    " + "  ".join(cell for cell in row[first:] if cell)
        if rest.strip():
            yield _cut(rest, width or len(rest))


def _cell(value: Any) -> str:
    return "" if value is None else printable(str(value))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def letter_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A line of `letters` for people: its moment to the minute."""
    return {
        **row,
        "received_at": minute(row["received_at"]),
        # A refused letter has no entity: what it claims to be is what one looks for.
        "entity": row["entity"] or (f"({row['claimed']})" if row["claimed"] else None),
        "why": row["error"] or row["reason"],
    }


def letter_json(row: LetterSummary) -> dict[str, Any]:
    """One line of `letters`."""
    return {
        "id": row.id,
        "received_at": local(row.received_at),
        "state": row.state.value,
        "outcome": row.outcome,
        "entity": row.entity,
        "sender": row.sender,
        "subject": row.subject,
        "documents": row.documents,
        "values": row.values,
        "reply": row.reply.value if row.reply else None,
        "attempts": row.attempts,
        "error": row.error,
        "reason": row.reason,
        "claimed": row.claimed,
    }


def whole_json(whole: LetterDetails, language: str) -> dict[str, Any]:
    """Everything that `show` tells of a letter."""
    return {
        **letter_json(whole.summary),
        "sha256": whole.sha256,
        "size": whole.size,
        "message_id": whole.message_id,
        "settled_at": local(whole.settled_at),
        "locations": [
            {
                "mailbox": place.mailbox,
                "folder": place.folder,
                "uidvalidity": place.uidvalidity,
                "uid": place.uid,
            }
            for place in whole.locations
        ],
        "findings": [finding_json(item, language) for item in whole.findings],
        "submissions": [_submission_json(item, language) for item in whole.submissions],
        "replies": [_sent_json(item) for item in whole.replies],
    }


def _submission_json(item: SubmissionDetails, language: str) -> dict[str, Any]:
    return {
        "receipt": item.receipt,
        "name": item.name,
        "container": item.container,
        "sheet": item.part,
        "sha256": item.sha256,
        "size": item.size,
        "layout": item.layout,
        "created": local(item.created_at),
        "verdict": item.verdict,
        "status": item.status,
        "values": item.values,
        "findings": [finding_json(found, language) for found in item.findings],
        "carried": [_carried_json(carried) for carried in item.carried],
    }


def _carried_json(item: CarriedValues) -> dict[str, Any]:
    return {
        "kind": item.kind.value,
        "area": item.area,
        "point": item.point,
        "meter": item.meter,
        "channel": item.channel,
        "zone": item.zone,
        "start": local(item.start),
        "end": local(item.end),
        "place": place_told(item.places),
        "value": _plain(item.value),
        "value_before": _plain(item.value_before),
        "in_force": item.in_force,
        "replaced": item.replaced,
        "replaced_since": [{"receipt": by, "values": n} for by, n in item.replaced_since],
        "replaced_at": local(item.replaced_at),
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:f}"


def _sent_json(item: SentReply) -> dict[str, Any]:
    return {
        "to": item.recipient,
        "subject": item.subject,
        "message_id": item.message_id,
        "state": item.state.value,
        "attempts": item.attempts,
        "owed_at": local(item.owed_at),
        "settled_at": local(item.settled_at),
        "error": item.last_error,
        "returned_code": item.returned_code,
        "returned": item.returned_text,
        "text": reply_text(item.content),
    }


def reply_text(content: bytes) -> str:
    """The plain text of a reply, after its subject."""
    message = message_from_bytes(content, _class=EmailMessage, policy=default)
    body = message.get_body(preferencelist=("plain",))
    text = body.get_content() if body else ""
    return f"To: {message['To']}\nSubject: {message['Subject']}\n\n{text}".rstrip()


def whole_text(row: Mapping[str, Any]) -> str:
    """`show` for people."""
    lines = [
        f"letter {row['id']}  {row['outcome'] or row['state']}  received {row['received_at']}",
        f"from {row['sender'] or '?'}  entity {row['entity'] or '-'}  attempts {row['attempts']}",
        f"subject {row['subject']}",
        f"sha256 {row['sha256']}  {row['size']} bytes  {row['message_id']}",
    ]
    lines += [
        f"at {p['mailbox']} {p['folder']} uidvalidity {p['uidvalidity']} uid {p['uid']}"
        for p in row["locations"]
    ]
    if row["error"]:
        lines.append(f"error {row['error']}")
    if row["reason"]:
        lines.append(f"reason {row['reason']}")
    if row["claimed"]:
        lines.append(f"claims to be {row['claimed']}")
    lines += _finding_lines(row["findings"], "")
    for item in row["submissions"]:
        lines.append(
            f"\nreceipt {item['receipt']}  {item['verdict']} (status {item['status']})  "
            f"{item['name'] or '(no name)'}  layout {item['layout'] or '-'}  "
            f"{item['values']} values"
        )
        lines += _finding_lines(item["findings"], "  ")
        lines += [_carried_line(carried) for carried in item["carried"]]
    for item in row["replies"]:
        lines.append(f"\nreply {item['state']}  attempts {item['attempts']}  {item['error'] or ''}")
        if item["returned"]:
            lines.append(f"came back: {item['returned_code'] or ''} {item['returned']}")
        lines.append(item["text"])
    return "\n".join(lines)


def _carried_line(item: Mapping[str, Any]) -> str:
    """What a document brought, from where in it, and what became of that."""
    names = (item["area"], item["point"], item["meter"], item["channel"], item["zone"])
    told = " ".join(name for name in names if name)
    if item["kind"] == "register":
        what = f"{item['start']}  {item['value']}"
        state = "in force" if item["in_force"] else "not in force"
        if item["value_before"] is not None:
            state += f", in place of {item['value_before']}"
    else:
        what = f"{item['start']}..{item['end']}"
        state = f"in force {item['in_force']}, replaced {item['replaced']} before it"
    since = ", ".join(f"{by['values']} by receipt {by['receipt']}" for by in item["replaced_since"])
    place = f"  {item['place']}" if item["place"] else ""
    return f"  {told}  {what}{place}: {state}" + (f", replaced since: {since}" if since else "")


def _finding_lines(findings: Iterable[Mapping[str, Any]], indent: str) -> list[str]:
    return [
        f"{indent}{item['severity']} {item['code']}: "
        + (f"{item['place']}: " if item["place"] else "")
        + str(item["message"])
        for item in findings
    ]


def check_result(row: Mapping[str, Any]) -> str:
    """One document of `check` for people."""
    lines = [
        (
            f"{row['file']}: {row['verdict']}, layout {row['layout'] or '-'}, "
            f"sender {row['sender'] or '-'}"
        )
    ]
    for item in row["series"]:
        names = [item["area"], item["point"], item["meter"], item["channel"], item["zone"]]
        told = " ".join(name for name in names if name)
        span = item["start"] if item["kind"] == "register" else f"{item['start']}..{item['end']}"
        lines.append(f"  {told}  {span}  {item['count']} values, {item['total']} {item['unit']}")
    return "\n".join(lines + _finding_lines(row["findings"], "  "))


def processed(row: Mapping[str, Any]) -> str:
    """One letter of `process` for people."""
    lines = [
        f"{row['source']}: {row['outcome']}, letter {row['letter']}, entity {row['entity'] or '-'}"
    ]
    lines += _finding_lines(row["findings"], "  ")
    for item in row["documents"]:
        lines.append(
            f"  {item['name'] or '(no name)'}: {item['verdict']}, layout {item['layout'] or '-'}, "
            f"receipt {item['receipt']}, {item['values']} values"
        )
        lines += _finding_lines(item["findings"], "    ")
    return "\n".join(lines)


def entity_json(entity: LegalEntity, changes: Iterable[AuditEntry]) -> dict[str, Any]:
    """One legal entity; of its password only whether it has one."""
    return {
        "user_code": entity.user_code,
        "name": entity.name,
        "inn": entity.inn,
        "addresses": list(entity.addresses),
        "active": entity.active,
        "has_password": entity.password_hash is not None,
        "points": [_point_json(point) for point in entity.points],
        "changes": [
            {
                "at": local(entry.at),
                "who": entry.who,
                "what": entry.what,
                "key": entry.key,
                "before": entry.before,
                "after": entry.after,
            }
            for entry in changes
        ],
    }


def _point_json(point: MeteringPoint) -> dict[str, Any]:
    return {
        "code": point.code,
        "name": point.name,
        "area": point.area,
        "max_power_kw": _text(point.max_power_kw),
        "channels": list(point.channels),
        "meters": [_meter_json(meter) for meter in point.meters],
    }


def _meter_json(meter: Meter) -> dict[str, Any]:
    return {
        "number": meter.number,
        "digits": meter.digits,
        "decimals": meter.decimals,
        "ratio": _text(meter.ratio),
        "installed": _text(meter.installed),
        "removed": _text(meter.removed),
        "channels": list(meter.channels),
        "zones": list(meter.zones),
    }


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def entity_text(row: Mapping[str, Any]) -> str:
    """`registry show` for people."""
    state = "active" if row["active"] else "switched off"
    has_password = "has a password" if row["has_password"] else "has no password yet"
    lines = [
        f"{row['user_code']}  {row['name']}  INN {row['inn']}  {state}  {has_password}",
        f"addresses {' '.join(row['addresses']) or '-'}",
    ]
    for point in row["points"]:
        power = f"{point['max_power_kw']} kW" if point["max_power_kw"] else "power not stated"
        lines.append(
            f"  point {point['code']}  {point['name']}  area {point['area'] or '-'}  {power}  "
            f"{' '.join(point['channels'])}".rstrip()
        )
        lines += [_meter_line(meter) for meter in point["meters"]]
    lines += [_change_line(change) for change in row["changes"]]
    return "\n".join(lines)


def _change_line(change: Mapping[str, Any]) -> str:
    """Who changed what, and only what differs of it."""
    before, after = change["before"] or {}, change["after"] or {}
    told = [
        f"{name} {_words(before[name])} -> {_words(value)}"
        if name in before
        else f"{name} {_words(value)}"
        for name, value in after.items()
        if before.get(name, _NOTHING) != value
    ]
    return f"{change['at']} {change['who']} {change['what']} {change['key']}: {', '.join(told)}"


_NOTHING = object()


def _words(value: Any) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if value not in (None, "", []) else "-"


def _meter_line(meter: Mapping[str, Any]) -> str:
    since = f"installed {meter['installed'] or '?'}"
    until = f", removed {meter['removed']}" if meter["removed"] else ""
    kinds = " ".join([*meter["channels"], *meter["zones"]])
    return f"    meter {meter['number']}  x{meter['ratio']}  {since}{until}  {kinds}"


def status_json(status: Status) -> dict[str, Any]:
    """The object of `status --json`."""
    return {
        "stale": list(status.stale),
        "mailboxes": {name: local(passed) for name, passed in status.mailboxes.items()},
        "servers": [
            {
                "server": server.name,
                "failing_since": local(server.failing_since),
                "failed_at": local(server.failed_at),
                "error": server.error or None,
                "advice": server.advice or None,
            }
            for server in status.servers
        ],
        "verdicts_today": dict(status.verdicts_today),
        "queue": status.queue,
        "quarantined": status.quarantined,
        "owed": status.owed,
        "undeliverable": status.undeliverable,
        "bounced": status.bounced,
        "waiting": status.waiting,
        "asking": status.asking,
        "oldest_unanswered": local(status.oldest_unanswered),
        "needs_a_person": list(status.needs_a_person),
    }


def status_text(row: Mapping[str, Any]) -> str:
    """`status` for people."""
    lines = [
        f"mailbox {name}: last read through {moment or 'never'}"
        for name, moment in row["mailboxes"].items()
    ]
    lines += [
        f"{server['server']}: last fault {minute(server['failed_at'])}: {server['error']}"
        for server in row["servers"]
        if server["failed_at"] and not server["failing_since"]
    ]
    today = ", ".join(f"{verdict} {count}" for verdict, count in row["verdicts_today"].items())
    lines += [
        f"today: {today or 'no letters'}",
        f"waiting for a verdict: {row['queue']}, in quarantine: {row['quarantined']}",
        (
            f"replies owed: {row['owed']}, undeliverable: {row['undeliverable']}, "
            f"came back: {row['bounced']}, "
            f"oldest unanswered: {row['oldest_unanswered'] or '-'}"
        ),
    ]
    lines += [f"needs a person: {reason}" for reason in row["needs_a_person"]]
    return "\n".join(lines)


def closing(done: Closing) -> None:
    """What speaks against closing a month, and how it differs from its last closing."""
    from ingest.operations.closing import DIFFERENCE_COLUMNS, differences_json
    from ingest.operations.periods import MISSING_COLUMNS, missing_row
    from ingest.operations.suspects import SUSPECT_COLUMNS, suspects_json

    parts: tuple[tuple[list[dict[str, Any]], Mapping[str, str]], ...] = (
        ([missing_row(row) for row in done.lacks], MISSING_COLUMNS),
        (list(suspects_json(done.suspects)), SUSPECT_COLUMNS),
        (list(differences_json(done.differences)), DIFFERENCE_COLUMNS),
    )
    for rows, columns in parts:
        if rows:
            table(rows, columns)


def withdrawal(row: Mapping[str, Any]) -> str:
    """What a withdrawal did, or would do, month by month."""
    lines = [
        f"{item['period']}  {item['point']} {item['channel']} {item['zone']}:"
        f" {_energy(item['energy_before'])} -> {_energy(item['energy_after'])}"
        + ("  (a later document rests on it)" if item in row["resting"] else "")
        for item in row["changes"]
    ]
    if row["withdrawn"]:
        lines.append(
            f"withdrawn with receipt {row['receipt']}: {row['removed']} values gone,"
            f" {row['restored']} in force again, {row['kept']} kept by newer documents"
        )
    return "\n".join(lines)


def _energy(value: int | None) -> str:
    return "nothing" if value is None else f"{value} Wh"

"""What people see of results: the columns of listings, and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ingest.operations.told import local, minute, place_told, reply_text, told_finding
from ingest.verbs.printing import Columns, table_lines
from layouts.findings import Finding
from layouts.points import LegalEntity, Meter
from layouts.terms import Kind

if TYPE_CHECKING:
    # `check` shows findings and knows of no database.
    from ingest.operations.audit import Verified
    from ingest.operations.check import ToldDocument
    from ingest.operations.closing import Closing
    from ingest.operations.doctor import Result
    from ingest.operations.hand_in import HandedIn
    from ingest.operations.letters import Processed, Replayed
    from ingest.operations.periods import MissingSeries
    from ingest.operations.purge import Purged
    from ingest.operations.registry import EntityStory
    from ingest.operations.status import Cluster, Status
    from ingest.operations.withdraw import MonthChange, Withdrawal
    from storage.records.audit import AuditEntry, Facts
    from storage.records.letters import CarriedValues, LetterDetails

_SPANS_MOST = 5

LETTERS: Columns = {
    "id": "id",
    "received": "received_at",
    "outcome": "outcome",
    # A refused letter has no entity: the code that it claims is shown.
    "entity": "entity_or_claimed",
    "documents": "documents",
    "values": "values",
    "reply": "reply",
    "from": "sender",
    "subject": "subject",
    "": "why",
}
BOUNCES: Columns = {
    "address": "address",
    "marked": "is_marked",
    "came back": "bounced",
    "not taken": "undeliverable",
    "last": "last_at",
    "letters": "letters",
    "": "last_error",
}
LOCKS: Columns = {
    "code": "user_code",
    "from": "whence",
    "wrong": "failures",
    "since": "since",
    "until": "until",
    "": "why",
}
PERIODS: Columns = {"period": "period", "closed": "closed", "who": "who", "at": "at"}
SUSPECTS: Columns = {
    "id": "id",
    "code": "code",
    "entity": "entity",
    "point": "point",
    "meter": "meter",
    "channel": "channel",
    "zone": "zone",
    "from": "start",
    "until": "end",
    "receipt": "receipt",
}
SEEN_VALUES: Columns = {
    "at": "at",
    "value": "value",
    "receipt": "receipt",
    "replaced by": "replaced_by",
}
DIFFERENCES: Columns = {
    "entity": "named.entity",
    "point": "named.point",
    "channel": "named.channel",
    "zone": "named.zone",
    "before": "before.energy",
    "after": "after.energy",
    "quality before": "before.quality",
    "quality after": "after.quality",
}
OPERATORS: Columns = {
    "name": "operator.name",
    "role": "operator.role",
    "active": "operator.active",
    "second factor": lambda one: one.operator.totp_secret is not None,
    "made by": "operator.made_by",
    "at": "operator.made_at",
    "signed in": "signed_in_at",
}
DEMO: Columns = {
    "letter": "sample.name",
    "verdict": "outcome",
    "": lambda line: "as expected" if line.is_expected else f"expected {line.sample.expected}",
    "reply": "reply",
}
CONFIGURATION: Columns = {"key": "key", "value": "value", "from": "origin"}


def _spans(one: MissingSeries) -> str:
    told = [f"{minute(span.start)} - {minute(span.end)}" for span in one.spans[:_SPANS_MOST]]
    more = len(one.spans) - _SPANS_MOST
    return ", ".join(told) + (f" and {more} more" if more > 0 else "")


MISSING: Columns = {
    "entity": "entity",
    "point": "point",
    "meter": "meter",
    "channel": "channel",
    "zones": "zones",
    "missing": lambda one: one.kind + (", in part" if one.reported == "part" else ""),
    "when": _spans,
    "reminder": "reminder",
}


def letter(whole: LetterDetails, language: str) -> str:
    """`show` of a letter."""
    head = whole.summary
    lines = [
        f"letter {head.id}  {head.outcome or head.state}  received {local(head.received_at)}",
        f"from {head.sender or '?'}  entity {head.entity or '-'}  attempts {head.attempts}",
        f"subject {head.subject}",
        f"sha256 {whole.sha256}  {whole.size} bytes  {whole.message_id}",
    ]
    lines += [
        f"at {p.mailbox} {p.folder} uidvalidity {p.uidvalidity} uid {p.uid}"
        for p in whole.locations
    ]
    named = (("error", head.error), ("reason", head.reason), ("claims to be", head.claimed))
    lines += [f"{name} {text}" for name, text in named if text]
    lines += _findings(whole.findings, language, "")
    for item in whole.submissions:
        lines.append(
            f"\nreceipt {item.receipt}  {item.verdict} (status {item.status})  "
            f"{item.name or '(no name)'}  layout {item.layout or '-'}  {item.values} values"
        )
        lines += _findings(item.findings, language, "  ")
        lines += map(_carried, item.carried)
    for reply in whole.replies:
        lines.append(f"\nreply {reply.state}  attempts {reply.attempts}  {reply.last_error or ''}")
        if reply.returned_text:
            lines.append(f"came back: {reply.returned_code or ''} {reply.returned_text}")
        lines.append(reply_text(reply.content))
    return "\n".join(lines)


def _carried(item: CarriedValues) -> str:
    """What a document brought, from where in it, and what became of that."""
    names = (item.area, item.point, item.meter, item.channel, item.zone)
    if item.kind is Kind.REGISTER:
        what = f"{local(item.start)}  {_plain(item.value)}"
        state = "in force" if item.in_force else "not in force"
        if item.value_before is not None:
            state += f", in place of {item.value_before:f}"
    else:
        what = f"{local(item.start)}..{local(item.end)}"
        state = f"in force {item.in_force}, replaced {item.replaced} before it"
    since = ", ".join(f"{by.values} by receipt {by.receipt}" for by in item.replaced_since)
    told = place_told(item.places)
    place = f"  {told}" if told else ""
    since = f", replaced since: {since}" if since else ""
    return f"  {' '.join(filter(None, names))}  {what}{place}: {state}{since}"


def _plain(value: object) -> str:
    return "" if value is None else f"{value:f}"


def _findings(findings: Iterable[Finding], language: str, indent: str) -> Iterator[str]:
    for found in findings:
        item = told_finding(found, language)
        place = f"{item.place}: " if item.place else ""
        yield f"{indent}{item.severity} {item.code}: {place}{item.message}"


def checked(told: ToldDocument, language: str) -> str:
    """One document of `check`."""
    lines = [
        f"{told.file}: {told.verdict}, layout {told.layout or '-'}, sender {told.sender or '-'}"
    ]
    for item in told.series:
        names = " ".join(filter(None, (item.area, item.point, item.meter, item.channel, item.zone)))
        start, end = (moment.isoformat() for moment in (item.start, item.end))
        span = start if item.kind is Kind.REGISTER else f"{start}..{end}"
        lines.append(f"  {names}  {span}  {item.count} values, {item.total} {item.unit}")
    return "\n".join([*lines, *_findings(told.findings, language, "  ")])


def processed(done: Processed | HandedIn, language: str) -> str:
    """One letter of `process`, or what was handed in by `enter`."""
    handled = done.handled
    entity = handled.entity.user_code if handled.entity else "-"
    lines = [
        f"{done.source}: {handled.outcome}, letter {done.letter or None}, entity {entity}",
        *_findings(handled.findings, language, "  "),
    ]
    for item in done.documents:
        lines.append(
            f"  {item.name or '(no name)'}: {item.verdict}, layout {item.layout or '-'}, "
            f"receipt {item.receipt}, {item.values} values"
        )
        lines += _findings(item.findings, language, "    ")
    return "\n".join(lines)


def entity(story: EntityStory) -> str:
    """`registry show` of a legal entity."""
    one: LegalEntity = story.entity
    state = "active" if one.active else "switched off"
    has_password = "has a password" if one.password_hash is not None else "has no password yet"
    lines = [
        f"{one.user_code}  {one.name}  INN {one.inn}  {state}  {has_password}",
        f"addresses {' '.join(one.addresses) or '-'}",
    ]
    for point in one.points:
        power = point.max_power_kw
        lines.append(
            f"  point {point.code}  {point.name}  area {point.area or '-'}  "
            f"{'power not stated' if power is None else f'{power:f} kW'}  "
            f"{' '.join(point.channels)}".rstrip()
        )
        lines += map(_meter, point.meters)
    return "\n".join([*lines, *map(_change, story.changes)])


def _meter(meter: Meter) -> str:
    until = f", removed {meter.removed}" if meter.removed else ""
    kinds = " ".join([*meter.channels, *meter.zones])
    since = f"installed {meter.installed or '?'}"
    return f"    meter {meter.number}  x{meter.ratio:f}  {since}{until}  {kinds}"


def _change(change: AuditEntry) -> str:
    """Who changed what, and only what differs of it."""
    before: Facts = change.before or {}
    told = [
        f"{name} {_words(before[name])} -> {_words(value)}"
        if name in before
        else f"{name} {_words(value)}"
        for name, value in (change.after or {}).items()
        if name not in before or before[name] != value
    ]
    head = f"{local(change.at)} {change.who} {change.what} {change.key}"
    return f"{head}: {', '.join(told)}"


def _words(value: object) -> str:
    text = " ".join(map(str, value)) if isinstance(value, list) else str(value)
    return text if value not in (None, "", []) else "-"


def status(found: Status) -> str:
    """`status`."""
    known = found.known
    lines = [
        f"mailbox {name}: last read through {local(moment) or 'never'}"
        for name, moment in found.mailboxes.items()
    ]
    lines += [
        f"{server.name}: last fault {minute(server.failed_at)}: {server.error}"
        for server in found.servers
        if server.failed_at and not server.failing_since
    ]
    today = ", ".join(f"{verdict} {count}" for verdict, count in known.verdicts_today.items())
    lines += [
        f"today: {today or 'no letters'}",
        f"waiting for a verdict: {known.queue}, in quarantine: {known.quarantined}",
        (
            f"replies owed: {known.owed}, undeliverable: {known.undeliverable}, "
            f"came back: {known.bounced}, "
            f"oldest unanswered: {local(known.oldest_unanswered) or '-'}"
        ),
    ]
    if found.cluster.processes or found.cluster.arrivals.letters:
        lines += _cluster(found.cluster)
    return "\n".join([*lines, *(f"needs a person: {told}" for told in found.needs_a_person)])


def _cluster(found: Cluster) -> list[str]:
    """What waits for workers, and which processes there are."""
    arrivals = found.arrivals
    oldest = minute(arrivals.oldest) if arrivals.oldest else "-"
    return [
        (
            f"waiting for a worker: {arrivals.letters} ({arrivals.held / 1024**2:.1f} MB),"
            f" oldest {oldest}, stalled trips: {arrivals.stalled}"
        ),
        *(
            f"{one.role} {one.holder} {one.version}: last heard of {minute(one.beat_at)}"
            f"{'' if one.is_alive else ' (silent)'}"
            for one in found.processes
        ),
    ]


def tried(result: Result) -> str:
    """One thing that `doctor` tried."""
    mark = "ok  " if result.is_well else "WRONG"
    advice = f" — {result.advice}" if result.advice else ""
    return f"{mark:<5} {result.what}: {result.found}{advice}"


def verified(done: Verified) -> str:
    """`audit verify`."""
    lines = [f"BROKEN: {done.broken}"] if done.broken else []
    lines += [f"BROKEN: the trigger {name} refuses no change any more" for name in done.off]
    lines += [f"BROKEN: {what} is none of ours" for what in done.foreign]
    if done.number is None:
        lines.append("nothing is sealed yet: `ingest run` does so every 20 seconds")
    else:
        whole = "" if done.broken else "whole: "
        lines.append(f"{whole}{done.rows} rows under {done.seals} seals")
        lines.append(f"last seal: {done.number} {done.sha256} of {local(done.sealed_at) or ''}")
    if done.compared:
        lines.append(f"compared with {done.compared} seals of the log")
    if done.unsealed:
        told = ", ".join(f"{kind} {count}" for kind, count in done.unsealed.items())
        lines.append(f"not sealed yet: {told}")
    return "\n".join(lines)


def closing(done: Closing) -> str:
    """What speaks against closing a month, and how it differs from its last closing."""
    parts: tuple[tuple[tuple[object, ...], Columns], ...] = (
        (done.lacks, MISSING),
        (done.suspects, SUSPECTS),
        (done.differences, DIFFERENCES),
    )
    lines = [line for rows, columns in parts if rows for line in table_lines(rows, columns)]
    if done.snapshot is not None:
        lines.append(f"{done.month:%Y-%m} is closed")
    return "\n".join(lines)


def withdrawal(told: Withdrawal) -> str:
    """What a withdrawal did, or would do, month by month."""
    lines = [
        _consumption(one) + ("  (a later document rests on it)" if one in told.resting else "")
        for one in told.changes
    ]
    if (done := told.done) is not None:
        lines.append(
            f"withdrawn with receipt {done.receipt}: {done.removed} values gone,"
            f" {done.restored} in force again, {done.kept} kept by newer documents"
        )
    return "\n".join(lines)


def _consumption(one: MonthChange) -> str:
    before, after = (
        "nothing" if side is None or side.energy is None else f"{side.energy} Wh"
        for side in (one.change.before, one.change.after)
    )
    named = one.change.named
    what = f"{named.point} {named.channel} {named.zone}" if named else ""
    return f"{one.month:%Y-%m}  {what}: {before} -> {after}"


def replayed(done: Replayed) -> str:
    """`replay`."""
    lost = [f"letter {number} is in no mailbox and keeps its verdict" for number in done.not_found]
    return "\n".join([f"put back: {len(done.put_back)}", *lost])


def purged(done: Purged) -> str:
    """`purge`."""
    verb = "would be dropped" if done.dry_run else "dropped"
    return (
        f"{verb}: facts of {done.letters} letters, texts of {done.replies} replies"
        f" ({done.reply_bytes} bytes)"
    )

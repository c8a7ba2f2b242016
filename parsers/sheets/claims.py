"""Which of a table's columns is read as what.

Every column makes a claim by its label; claims on one role are settled by how exact the
labels are and by what they say of time, never by who comes first.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from operator import attrgetter

from layouts.figures import FigureKind
from layouts.layout import Layout
from parsers.fields import label as label_of
from parsers.sheets.table import SINCE, Conflict, Label, Slot, Table
from parsers.sheets.vocabulary import CURRENT, EXACT, FIGURE, HARMLESS, PREVIOUS, TOTAL, Meaning

_SPAN_OF_TIME = re.compile(r"месяц|период|month|period")
_END_OF_SPAN = re.compile(r"(?<!\w)на (?:начало|конец)(?!\w)")


def settle(table: Table, layout: Layout, stated: date | None) -> set[str]:
    """Give each role its column, and return the roles that labels claim.

    What nothing decides becomes a conflict of the table.

    Args:
        table: Its labels and hours are known.
        layout: The form's.
        stated: The day of the readings that is stated above the table.
    """
    claims = _claims(table, stated)
    for role, labels in claims.items():
        if role == HARMLESS:
            continue
        if role == TOTAL:
            table.totals.update(label.column for label in labels)
        elif role.startswith(FIGURE):
            kind = FigureKind(role.removeprefix(FIGURE))
            for label in labels:
                table.figures[label.column] = (kind, _slot(label, claims, layout))
        elif role != "value":
            _settle_key(table, role, labels)
    slots: dict[Slot, list[Label]] = defaultdict(list)
    for label in claims.get("value", ()):
        slots[_slot(label, claims, layout)].append(label)
    for slot, labels in slots.items():
        _settle_values(table, slot, [_dated(label, stated, labels) for label in labels])
    _doubt_values(table)
    return set(claims)


def _claims(table: Table, stated: date | None) -> dict[str, list[Label]]:
    """The labels that claim each role, in their order."""
    claims: dict[str, list[Label]] = defaultdict(list)
    for label in table.labels.values():
        if label.meaning.is_label:
            claims[_role(label.meaning)].append(label)
    zones = [label.meaning.zone for label in claims.get("zone", ())]
    if len(zones) > 1 and None not in zones and len(set(zones)) == len(zones):
        claims["value"] += claims.pop("zone")
    if not table.hours:
        _claim_readings(table.labels, claims, stated)
    return claims


def _claim_readings(
    labels: Mapping[int, Label], claims: dict[str, list[Label]], stated: date | None
) -> None:
    """Take for readings what cannot be anything else beside each other."""
    # «Активная энергия» is no column of channels' names.
    named = [label.meaning.channel for label in claims.get("channel", ())]
    others = [label.meaning.channel for label in claims.get("value", ())]
    if named and None not in named and (any(others) or not others):
        claims["value"] += claims.pop("channel")
    # Last | This: a month or a period would be what was used in it.
    bare = [
        label
        for label in labels.values()
        if label.meaning.known
        and label.meaning.tense
        and not label.meaning.role
        and (
            not _SPAN_OF_TIME.search(label_of(label.text))
            or _END_OF_SPAN.search(label_of(label.text))
        )
    ]
    days = [label for label in labels.values() if label.meaning.at and not label.meaning.role]
    last = max((label.meaning.at for label in days if label.meaning.at), default=None)
    if not claims.get("value") and last == stated:
        # Days alone, the last of them that of the readings.
        claims["value"] += [label for label in days if label.meaning.known]
    if claims.get("value"):
        claims["value"] += [label for label in bare if label.meaning.tense == PREVIOUS]
    elif CURRENT in {label.meaning.tense for label in bare}:
        claims["value"] += bare


def _role(meaning: Meaning) -> str:
    """The role that a label claims: a zone or channel alone stands above readings."""
    role = meaning.role or "value"
    if role == "instant" and meaning.tense == PREVIOUS:
        return SINCE
    return role


def _doubt_values(table: Table) -> None:
    """A conflict where another column is called a reading, in words that nobody knows.

    The form's own label needs no more words to be the one that counts.
    """
    for column in list(table.values):
        chosen = table.labels[column]
        if chosen.meaning.exact == EXACT or chosen.meaning.tense or chosen.meaning.at:
            continue
        rival = next((other for other in table.strange if _is_rival(other, chosen)), None)
        if rival is not None:
            table.conflicts.append(Conflict("value", *sorted((chosen, rival), key=_column_of)))
            del table.values[column]


_column_of = attrgetter("column")


def _is_rival(other: Label, chosen: Label) -> bool:
    theirs, mine = other.meaning, chosen.meaning
    same = (theirs.zone, theirs.channel) == (mine.zone, mine.channel)
    return same and theirs.role == "value" and theirs.tense != PREVIOUS


def _dated(label: Label, stated: date | None, labels: Sequence[Label]) -> Label:
    """A label whose day, beside other columns, makes it the last reading or this one."""
    at = label.meaning.at
    if len(labels) < 2 or at is None or stated is None or at > stated or label.meaning.tense:
        return label
    days = [other.meaning.at for other in labels]
    if all(days) and stated not in days:
        # The last of them is meant, and told to be of another day.
        return label
    tense = CURRENT if at == stated else PREVIOUS
    return replace(label, meaning=replace(label.meaning, tense=tense))


def _slot(label: Label, claims: Mapping[str, list[Label]], layout: Layout) -> Slot:
    channel = label.meaning.channel
    default = layout.default_channel
    reactive = (label.meaning.unit or "").endswith("varh")
    if channel is None and reactive and default is not None and "channel" not in claims:
        # Beside kWh, kvarh are the same direction's reactive energy.
        channel = f"R{default[-1]}"
    return Slot(label.meaning.zone, channel)


def _settle_key(table: Table, role: str, labels: Sequence[Label]) -> None:
    best = max(label.meaning.exact for label in labels)
    exact = [label for label in labels if label.meaning.exact == best]
    current = [label for label in exact if label.meaning.tense == CURRENT]
    chosen = current if len(current) == 1 else exact
    if len(chosen) > 1:
        table.conflicts.append(Conflict(role, chosen[0], chosen[1]))
    table.columns[role] = chosen[0].column
    table.decided.update(label.column for label in labels if label is not chosen[0])


def _settle_values(table: Table, slot: Slot, labels: Sequence[Label]) -> None:
    """Choose the current reading among the columns of one register."""
    earlier = [label for label in labels if label.meaning.tense == PREVIOUS]
    rest = [label for label in labels if label.meaning.tense != PREVIOUS]
    chosen, before = _current(rest)
    earlier += before
    if len(chosen) > 1:
        table.conflicts.append(Conflict("value", chosen[0], chosen[1]))
        chosen = []
    if chosen and _contradicts(chosen[0], earlier):
        table.conflicts.append(Conflict("value", earlier[0], chosen[0]))
        chosen = []
    if chosen:
        table.values[chosen[0].column] = slot
    for label in earlier:
        table.figures[label.column] = (FigureKind.PREVIOUS, slot)
    table.decided.update(
        label.column for label in rest if label not in chosen and label.column not in table.figures
    )


def _current(labels: Sequence[Label]) -> tuple[list[Label], list[Label]]:
    """The labels between which nothing decides, and those of earlier readings."""
    current = [label for label in labels if label.meaning.tense == CURRENT]
    chosen = current or list(labels)
    if len(chosen) > 1 and (ordered := _by_time(chosen)):
        return [ordered[-1]], ordered[:-1]
    if len(chosen) > 1:
        best = max(label.meaning.exact for label in chosen)
        chosen = [label for label in chosen if label.meaning.exact == best]
    return chosen, []


def _by_time(labels: Sequence[Label]) -> list[Label]:
    """The labels by the days or months in them; [] when these do not tell them apart."""
    days = [label.meaning.at for label in labels]
    if all(days) and len(set(days)) == len(days):
        return sorted(labels, key=attrgetter("meaning.at"))
    months = [label.meaning.month for label in labels]
    if any(days) or not all(months) or len(set(months)) != len(months):
        return []
    if all(month and month[0] for month in months):
        return sorted(labels, key=attrgetter("meaning.month"))
    if len(labels) == 2 and months[0] and months[1] and not (months[0][0] or months[1][0]):
        # Without years only neighbours can be told: January follows December.
        first, second = labels
        if (months[0][1] % 12) + 1 == months[1][1]:
            return [first, second]
        if (months[1][1] % 12) + 1 == months[0][1]:
            return [second, first]
    return []


def _contradicts(chosen: Label, earlier: Iterable[Label]) -> bool:
    """Whether a "last" reading is of a later day than the current one."""
    at = chosen.meaning.at
    return at is not None and any(
        label.meaning.at is not None and label.meaning.at >= at for label in earlier
    )

"""What a letter without a document may ask for: how things stand, or a workbook."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date, datetime

from ingest.intake.ports import Store
from ingest.letters.terms import Letter
from ingest.replies.message import XLSX, File, ReplySettings
from ingest.replies.wishes import form, standing
from layouts.completeness import Lack
from layouts.layout import Layout
from layouts.months import MOSCOW, month_at, preceding
from layouts.points import LegalEntity
from layouts.terms import Kind
from storage.records.replies import OwedReply

_TURN_OF_MONTH = 10
"""Until the end of this day of a month, "this month" is the one before."""


def answer(
    letter: Letter,
    entity: LegalEntity,
    store: Store,
    now: datetime,
    settings: ReplySettings,
    layouts: Mapping[str, Layout],
    *,
    letter_number: int,
) -> OwedReply:
    """The reply to a wish that `letter.wish` names.

    Args:
        letter: Whose wish it is.
        entity: Who asks, authenticated.
        store: Of the transaction in hand.
        now: The moment of it, aware.
        settings: Of replies.
        layouts: The forms, by their numbers.
        letter_number: Its number in the ledger.
    """
    what, number = letter.wish or ("", "")
    if what == "status":
        state = store.months.state(month_told(now), [entity])
        return standing(letter, entity, state, now, settings, letter_number=letter_number)
    forms = [name for name, layout in sorted(layouts.items()) if layout.workbook is not None]
    filled = None
    if number in forms:
        day = now.astimezone(MOSCOW).date()
        filled = workbook(layouts[number], entity, store, settings.language, day)
    return form(
        letter,
        entity,
        number,
        filled,
        now,
        settings,
        letter_number=letter_number,
        known=forms,
    )


def month_told(now: datetime) -> date:
    """First day of the month that "this month" means: up to the 10th the one that has ended."""
    month = month_at(now)
    return preceding(month) if now.astimezone(MOSCOW).day <= _TURN_OF_MONTH else month


def forms_for(
    lacks: Collection[Lack],
    entity: LegalEntity,
    store: Store,
    layouts: Mapping[str, Layout],
    language: str,
    month: date,
) -> Iterator[File]:
    """Workbooks in which what is missing of a month can be filled in, one for each kind.

    Points in an area report by a metering system, which fills in no workbook; the
    caller leaves them out of `lacks`.

    Args:
        lacks: Kinds of what is missing.
        entity: Whose points and meters are filled in.
        store: Of the transaction in hand.
        layouts: The forms, by their numbers.
        language: Of the texts.
        month: Its first day; what is filled in is due for it.
    """
    kinds = {Kind.INTERVAL if lack is Lack.PROFILE else Kind.REGISTER for lack in lacks}
    # In its last days a template is that of the month itself.
    within = month.replace(day=28)
    for kind in sorted(kinds):
        of_kind = (x for _, x in sorted(layouts.items()) if x.kind is kind and x.workbook)
        layout = next(of_kind, None)
        if layout is not None:
            content = workbook(layout, entity, store, language, within)
            yield File(f"{layout.number}_{entity.user_code}.xlsx", content, *XLSX)


def workbook(
    layout: Layout, entity: LegalEntity | None, store: Store | None, language: str, day: date
) -> bytes:
    """A workbook to fill in, on that day; an empty form without an entity.

    Args:
        layout: With a workbook.
        entity: Whose points and meters are filled in; None: an empty form.
        store: None without an entity.
        language: Of the texts.
        day: The day in the zone of the forms.

    Raises:
        ValueError: the layout has no workbook.
    """
    # Late: openpyxl takes longer to load than all of the rest.
    from ingest.replies.blank import template

    last = store.months.last_readings(entity) if store is not None and entity is not None else {}
    return template(layout, entity, last, language, today=day)

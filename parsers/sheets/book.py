"""Reads every layout that people fill in as a workbook, as its definition says.

A sheet is not searched for what is wanted: each of its cells is accounted for. Tables and
facts make claims (`tables`, `header`), rows are read and proved (`rows`), and what is left
is told (`account`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from layouts.document import Parsed
from layouts.findings import Code, Finding, Place, Severity, finding
from layouts.layout import Layout
from layouts.terms import RETURNED_LIST_TITLES
from parsers.assemble import assemble, finished
from parsers.fields import mended_code, shown
from parsers.grid import Sheet
from parsers.grid_draft import Spent, TooCostlyError
from parsers.names import name_findings
from parsers.sheets.account import says_anything
from parsers.sheets.header import Fact, Facts, Rivals
from parsers.sheets.hidden import all_of, in_full, left_out
from parsers.sheets.reader import SheetReader
from parsers.sheets.view import Form, View
from parsers.sheets.vocabulary import vocabulary
from parsers.workbooks import open_workbook


def forms_of(layouts: Mapping[str, Layout], spent: Spent | None = None) -> list[Form]:
    """What each layout's workbooks are read with, made once: it takes a tenth of a second."""
    spent = spent or Spent()
    return [
        Form(layout, layout.workbook, vocabulary(layout, layout.workbook).of_book(spent))
        for layout in layouts.values()
        if layout.workbook is not None
    ]


def parse_workbook(
    about: Parsed, content: bytes, layouts: Mapping[str, Layout], spent: Spent | None = None
) -> tuple[Parsed, ...]:
    """One document for each sheet that a layout claims; never none at all.

    Args:
        about: Name, digest and size of the file.
        content: Its bytes.
        layouts: The definitions that may claim its sheets.
        spent: Where its cost is counted.
    """
    spent = spent or Spent()
    opened = open_workbook(content, spent)
    if isinstance(opened, Finding):
        return (replace(about, findings=(*about.findings, opened)),)
    try:
        return _Book(opened, forms_of(layouts, spent)).read(about)
    except TooCostlyError as error:
        found = finding(Code.TOO_COSTLY, limit=str(error))
        return (replace(about, findings=(*about.findings, found)),)


@dataclass(frozen=True, slots=True)
class _Claim:
    """A sheet, and what can be said of whose it is."""

    sheet: Sheet
    views: tuple[View, ...]
    stated: str | None
    fact: Fact | None

    @property
    def has_table(self) -> bool:
        """Whether a form finds its table on the sheet, hidden columns included."""
        if any(view.tables for view in self.views):
            return True
        if not self.sheet.unseen:
            return False
        full = in_full(self.sheet)
        return any(view.form.view(full).tables for view in self.views)


class _Book:
    """The sheets of one workbook, and what each of them is."""

    def __init__(self, sheets: Sequence[Sheet], forms: Sequence[Form]) -> None:
        self._forms = forms
        sheets = [sheet for sheet in sheets if not _is_returned_list(sheet)]
        self._visible = [sheet for sheet in sheets if sheet.is_visible]
        self._hidden = [sheet for sheet in sheets if not sheet.is_visible]

    def read(self, about: Parsed) -> tuple[Parsed, ...]:
        """The documents, one for each claimed sheet."""
        claims = [claim for sheet in self._visible if (claim := self._claim(sheet)) is not None]
        if any(claim.has_table for claim in claims):
            # What only names its layout is the title sheet of one that has the table.
            claims = [c for c in claims if c.has_table or not c.views or not c.stated]
        beside = list(self._beside(claims))
        if not claims:
            found = (*about.findings, finding(Code.UNKNOWN_LAYOUT), *beside)
            return (replace(about, findings=found),)
        parts = [replace(about, part=claim.sheet.name) for claim in claims]
        if len(claims) == 1:
            parts = [about]
        read = [self._read(c, part) for c, part in zip(claims, parts, strict=True)]
        first = replace(read[0], findings=(*read[0].findings, *beside))
        return (first, *read[1:])

    def _claim(self, sheet: Sheet) -> _Claim | None:
        """The layouts that claim a sheet; None when it is just another sheet."""
        facts = [(form, Facts(sheet, form.definition, form.words)) for form in self._forms]
        fact = next((f for _, every in facts for f in every.all() if f.field == "class"), None)
        if fact is not None:
            number = _number(fact)
            stated = [(form, every) for form, every in facts if number in form.layout.numbers]
            views = tuple(form.view(sheet, every) for form, every in stated)
            return _Claim(sheet, views, number, fact)
        views = tuple(v for form, every in facts if (v := form.view(sheet, every)).tables)
        if not views and sheet.unseen:
            # Its columns are hidden: the finding says so, not that it is no form.
            full = in_full(sheet)
            views = tuple(form.view(sheet) for form in self._forms if form.view(full).tables)
        return _Claim(sheet, views, None, None) if views else None

    def _read(self, claim: _Claim, about: Parsed) -> Parsed:
        """The document on a sheet, or the finding that it is none."""
        place = claim.fact.place if claim.fact is not None else Place(sheet=claim.sheet.name)
        if len(claim.views) != 1:
            code = Code.AMBIGUOUS_LAYOUT if claim.views else Code.UNKNOWN_LAYOUT
            names = ", ".join(view.form.layout.number for view in claim.views)
            both = {"layouts": names} if claim.views else {}
            found = finding(code, place, seen=claim.stated, **both)
            return replace(about, findings=(*about.findings, found))
        view = claim.views[0]
        draft = SheetReader(view, self._shared(view, claim.sheet)).read()
        draft.findings.extend(left_out(view, draft))
        number = claim.stated or view.form.layout.number
        draft.findings.extend(name_findings(about.name, view.form.layout, number, draft.header, ()))
        return finished(draft, about, assemble(draft))

    def _shared(self, view: View, own: Sheet) -> dict[str, Fact | Rivals]:
        """What other sheets state: who sends it anywhere, the rest on a title sheet before."""
        facts: dict[str, Fact | Rivals] = {}
        is_before = True
        for sheet in self._visible:
            if sheet is own:
                is_before = False
                continue
            other = view.form.view(sheet)
            for name, fact in other.facts.of(None, other.tables).items():
                if name in _SENDER or (is_before and not other.tables):
                    facts.setdefault(name, fact)
        return facts

    def _beside(self, claims: Sequence[_Claim]) -> Iterator[Finding]:
        """What is on the sheets that are no documents."""
        claimed = {claim.sheet.name for claim in claims}
        for sheet in self._visible:
            if sheet.name in claimed or not sheet.rows or not claims:
                continue
            views = [view.form.view(sheet) for claim in claims for view in claim.views]
            said = [v for v in views if says_anything(sheet, v.form.words, v.facts.is_label)]
            if not said:
                place = Place(sheet=sheet.name)
                about = {"reason": "no-words", "severity": Severity.NOTE}
                yield finding(Code.NOT_READ, place, **about)
            else:
                yield from SheetReader(said[0], {}).left_over()
        for sheet in self._hidden:
            for form in self._forms:
                yield from all_of(form.view(sheet))


def _is_returned_list(sheet: Sheet) -> bool:
    """Whether a sheet is the list of findings of our own reply."""
    title = sheet.cell(1, 1)
    return isinstance(title, str) and title.startswith(RETURNED_LIST_TITLES)


_SENDER = ("sender_code", "password", "sender_name", "sender_inn")
_CLASS = re.compile(r"\D*(\d{4,6})\D*")


def _number(fact: Fact) -> str:
    """The class that a fact states."""
    if isinstance(fact.cell, str):
        found = _CLASS.fullmatch(fact.cell)
        return found[1] if found else fact.cell
    code = mended_code(fact.cell)
    return code if isinstance(code, str) else shown(fact.cell)

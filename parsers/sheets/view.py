"""A sheet as one form sees it: its tables, and the facts around them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layouts.layout import Layout
from layouts.workbook_form import WorkbookDefinition
from parsers.grid import Sheet
from parsers.sheets.header import Facts
from parsers.sheets.table import Table
from parsers.sheets.tables import Around, find_tables
from parsers.sheets.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Form:
    """A layout that has a workbook form, with that form and its words."""

    layout: Layout
    definition: WorkbookDefinition
    words: Vocabulary

    def view(self, sheet: Sheet, facts: Facts | None = None) -> View:
        """A sheet as this form sees it; its facts are looked for unless they are known."""
        facts = facts or Facts(sheet, self.definition, self.words)
        around = Around(facts.stand_in, facts.fill, facts.day_above, facts.key_names_above)
        tables = find_tables(sheet, self.layout, self.definition, self.words, around)
        return View(sheet, self, facts, tables)


@dataclass(frozen=True, slots=True)
class View:
    """What a form finds on a sheet."""

    sheet: Sheet
    form: Form
    facts: Facts
    tables: Sequence[Table]

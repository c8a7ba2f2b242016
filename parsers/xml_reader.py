"""Reads every XML layout, as its definition says."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

from lxml.etree import XPath

from layouts.document import Header, Parsed
from layouts.findings import Code, Finding, Place, finding
from layouts.layout import HeaderField, Layout, Level, XmlDefinition, XmlForm, XmlPath
from layouts.terms import Kind
from parsers.assemble import MOST_SERIES, Column, Draft, Reading, assemble, finished, instant
from parsers.clock import Clock, clock, read_local
from parsers.fields import Fault, plain, read_code
from parsers.grid_draft import TooCostlyError
from parsers.names import name_findings
from parsers.signs import channel_of, zone_of
from parsers.times import Moments, RowTimes
from parsers.trees import Element, Tree, decoded_text, tree_of

MOST_STRANGE = 1_000
"""A document with more names that no layout knows is `too-costly`."""

MOST_TIMES = 30_000
"""A document with more different moments than this is `too-costly`: a year has 17,520
half-hours, and all series of a document mostly have the same."""


def parse_xml(about: Parsed, content: bytes, layouts: Mapping[str, Layout]) -> Parsed:
    """One XML document as read; whatever its bytes are, it never raises.

    Args:
        about: Name, digest and size of the document.
        content: Its bytes.
        layouts: The definitions that may claim it.
    """
    text = decoded_text(content)
    if isinstance(text, Finding):
        return _unreadable(about, text)
    tree = tree_of(text)
    if isinstance(tree, Finding):
        return _unreadable(about, tree)
    if text.guessed:
        seen, encoding = text.declared, text.encoding
        guessed = finding(Code.ENCODING_GUESSED, Place(line=1), seen=seen, encoding=encoding)
        about = replace(about, findings=(*about.findings, guessed))
    return _claimed(about, tree, layouts)


def _unreadable(about: Parsed, found: Finding) -> Parsed:
    return replace(about, findings=(*about.findings, found))


def _claimed(about: Parsed, tree: Tree, layouts: Mapping[str, Layout]) -> Parsed:
    """The document, read by the one layout that claims it."""
    root = tree.root
    claims = [
        (layout, layout.xml)
        for layout in layouts.values()
        if layout.xml is not None and _claims(layout, layout.xml, root)
    ]
    place = tree.place(root)
    if len(claims) > 1:
        both = ", ".join(layout.number for layout, _ in claims)
        return _unreadable(about, finding(Code.AMBIGUOUS_LAYOUT, place, layouts=both))
    if not claims:
        seen = str(root.get("class") or root.tag)
        return _unreadable(about, finding(Code.UNKNOWN_LAYOUT, place, seen=seen))
    layout, definition = claims[0]
    try:
        return _Reader(layout, definition, tree).read(about)
    except TooCostlyError as error:
        return _unreadable(about, finding(Code.TOO_COSTLY, limit=str(error)))


def _claims(layout: Layout, definition: XmlDefinition, root: Element) -> bool:
    if root.tag != definition.root:
        return False
    if not definition.class_attribute:
        return True
    return (root.get(definition.class_attribute) or "").strip() in layout.numbers


def _text_at(element: Element, path: XmlPath) -> str | None:
    target: Element | None = element
    for child in path.children:
        target = target.find(child) if target is not None else None
    if target is None:
        return None
    return target.get(path.attribute) if path.attribute else target.text


Keys = dict[str, str]

_OF_THE_READER = ("day", "summer")
"""What the header says for the reader alone."""


class _Reader:
    """Reads one document of a known layout into a draft."""

    def __init__(self, layout: Layout, definition: XmlDefinition, tree: Tree) -> None:
        self._layout = layout
        self._definition = definition
        self._tree = tree
        self._draft = Draft(layout, None, layout.unit)
        self._clock: Clock = clock(layout.zone)
        self._form: XmlForm = definition.forms[0]
        self._day: date | None = None
        self._areas: set[str] = set()
        self._skipped: dict[tuple[str, str], tuple[Finding, int]] = {}
        self._timed = 0
        self._queries: dict[str, XPath] = {}
        self._of_columns: dict[str, XPath] = {}
        self._known_times: dict[tuple[str | None, ...], Moments] = {}
        # The same few stand in every row.
        self._channels: dict[str | None, str | None] = {}
        self._zones: dict[str | None, str | None] = {}
        self._quiet = definition.ignore | _own_names(definition)

    def read(self, about: Parsed) -> Parsed:
        """The document with its series and every format mistake."""
        facts = self._header()
        version = self._draft.header.version
        if version is not None and not self._choose_form(version):
            place = self._tree.place(self._tree.root)
            found = finding(Code.UNSUPPORTED_VERSION, place, seen=version)
            return replace(about, header=self._draft.header, findings=(*about.findings, found))
        self._check_summer(facts.get("summer"))
        self._bound_readings()
        self._walk(self._tree.root, 0, {})
        self._tell_skipped()
        self._check_name(about)
        return finished(self._draft, about, assemble(self._draft))

    def _choose_form(self, version: str) -> bool:
        for form in self._definition.forms:
            if version in form.versions:
                self._form = form
                return True
        return False

    # The header.

    def _header(self) -> dict[str, str]:
        """Every header field as text; the typed ones go to the draft's header."""
        texts: dict[str, str] = {}
        typed: dict[str, object] = {}
        for field in self._definition.header:
            text = (_text_at(self._tree.root, field.path) or "").strip()
            if not text:
                if field.required:
                    self._header_fault(field, "", Fault(Code.MISSING_FIELD, str(field.path)))
                continue
            value = _header_value(field, text, self._clock)
            if isinstance(value, Fault):
                self._header_fault(field, text, value)
                continue
            texts[field.name] = text
            typed[field.name] = value
        self._draft.header = self._typed(typed)
        return texts

    def _typed(self, values: Mapping[str, object]) -> Header:
        facts = {name: value for name, value in values.items() if name not in _OF_THE_READER}
        day = values.get("day")
        if isinstance(day, datetime):
            self._day = day.date()
            facts["period_start"] = instant(self._clock.midnight(self._day))
            facts["period_end"] = instant(self._clock.midnight(self._day + timedelta(days=1)))
        return Header(**facts)  # type: ignore[arg-type]

    def _header_fault(self, field: HeaderField, seen: str, fault: Fault) -> None:
        holder = self._tree.root
        for child in field.path.children:
            below = holder.find(child)
            holder = holder if below is None else below
        place = self._tree.place(holder)
        about = {"field": field.name, "expected": fault.expected}
        self._draft.findings.add(finding(fault.code, place, seen=seen or None, **about))

    def _check_summer(self, flag: str | None) -> None:
        """On a changeover day the periods of both times must be told apart."""
        if flag in (None, "2") or self._day is None or self._clock.plain_midnight(self._day):
            return
        place, about = self._tree.place(self._tree.root), {"field": "summer", "expected": "2"}
        self._draft.findings.add(finding(Code.INVALID_TIME, place, seen=flag, **about))

    def _check_name(self, about: Parsed) -> None:
        attribute = self._definition.class_attribute
        stated = self._tree.root.get(attribute) if attribute else None
        number = (stated or self._layout.number).strip()
        header, areas = self._draft.header, self._areas - {""}
        found = name_findings(about.name, self._layout, number, header, areas)
        self._draft.findings.extend(found)

    # The body.

    def _bound_readings(self) -> None:
        """Count the readings before the first one is read."""
        if self._layout.kind is Kind.REGISTER:
            for number, _ in enumerate(self._tree.root.iter(self._form.row), 1):
                if number > MOST_SERIES:
                    raise TooCostlyError(str(MOST_SERIES))

    def _walk(self, parent: Element, depth: int, keys: Keys) -> None:
        """Read the rows below an element, level by level."""
        form = self._form
        if depth == len(form.levels):
            self._rows(parent, keys)
            return
        level = form.levels[depth]
        for child in parent:
            if child.tag == level.element:
                below = self._keys(child, level, keys)
                if below is not None:
                    self._walk(child, depth + 1, below)
            else:
                self._stray(child, depth)

    def _keys(self, element: Element, level: Level, keys: Keys) -> Keys | None:
        """The keys of one level added to those above; None when it is passed over."""
        below = dict(keys)
        for name, path in level.keys.items():
            if name == "area_name":
                self._areas.add(plain(_text_at(element, path) or ""))
                continue
            code = read_code(_text_at(element, path))
            if code is None and name in level.required:
                code = Fault(Code.MISSING_FIELD, str(path))
            if isinstance(code, Fault):
                self._key_fault(element, name, path, code, keys)
                return None
            if code is not None:
                below[name] = code
        self._areas.add(below.get("area", ""))
        if below.get("point"):
            self._draft.points.add((below.get("area"), below["point"]))
        channel = below.get("channel")
        if channel and self._layout.skip_channels and channel_of(channel, self._layout) is None:
            about = {name: below.get(name) for name in ("area", "point", "channel")}
            self._skip(element, f"{element.tag} {channel}", **about)
            return None
        return below

    def _key_fault(
        self, element: Element, name: str, path: XmlPath, fault: Fault, keys: Keys
    ) -> None:
        if self._draft.findings.is_counted(fault.code):
            return
        self._draft.findings.add(
            finding(
                fault.code,
                self._tree.place(element),
                seen=plain(_text_at(element, path) or "") or None,
                area=keys.get("area"),
                point=keys.get("point"),
                field=name,
                expected=fault.expected,
            )
        )

    def _stray(self, element: Element, depth: int) -> None:
        """An element that does not belong where it stands."""
        tag = str(element.tag)
        if tag in self._quiet:
            return
        ours = {level.element for form in self._definition.forms for level in form.levels}
        ours.update(form.row for form in self._definition.forms)
        if tag not in ours or tag in self._definition.skip:
            self._skip(element, tag)
            return
        place = self._tree.place(element)
        levels = self._form.levels
        inner = {level.element for level in levels[depth:]} | {self._form.row}
        if tag in inner:
            field = next(iter(sorted(levels[depth].required)), levels[depth].element)
            about = {"field": field, "expected": levels[depth].element}
            self._draft.findings.add(finding(Code.MISSING_FIELD, place, seen=tag, **about))
            return
        about = {"field": "version", "expected": self._version_with(tag), "element": tag}
        seen = self._draft.header.version
        self._draft.findings.add(finding(Code.INVALID_CODE, place, seen=seen, **about))

    def _version_with(self, tag: str) -> str:
        return ", ".join(
            version
            for form in self._definition.forms
            for version in form.versions
            if tag in {form.row, *(level.element for level in form.levels)}
        )

    def _skip(self, element: Element, seen: str, **about: object) -> None:
        key = (str(element.tag), seen)
        if key in self._skipped:
            first, count = self._skipped[key]
        else:
            place = self._tree.place(element)
            first = finding(Code.SKIPPED_ELEMENT, place, seen=seen, element=element.tag, **about)
            count = 0
            if len(self._skipped) == MOST_STRANGE:
                raise TooCostlyError(str(MOST_STRANGE))
        self._skipped[key] = first, count + 1

    def _tell_skipped(self) -> None:
        """One warning for all elements of a name: there may be hundreds."""
        for found, count in self._skipped.values():
            several = replace(found, area=None, point=None, count=count)
            self._draft.findings.add(several if count > 1 else found)

    # The rows.

    def _rows(self, parent: Element, keys: Keys) -> None:
        rows = list(parent.iterchildren(self._form.row))
        if len(rows) != len(parent):
            for child in parent:
                if child.tag != self._form.row:
                    self._stray(child, len(self._form.levels))
        if not rows:
            return
        cells = self._cells(parent, rows)
        lines = self._tree.lines(parent, rows)
        if self._layout.kind is Kind.REGISTER:
            self._readings(cells, lines, keys)
            return
        for group, indexes in self._groups(cells, keys, lines):
            whole = len(indexes) == len(rows)
            taken = cells if whole else {n: [c[i] for i in indexes] for n, c in cells.items()}
            self._column(taken, lines if whole else [lines[i] for i in indexes], group)

    def _cells(self, parent: Element, rows: Sequence[Element]) -> dict[str, list[str | None]]:
        """The rows' texts, column by column."""
        below: dict[tuple[str, ...], Sequence[Element | None]] = {(): rows}
        cells: dict[str, list[str | None]] = {}
        for name, path in self._form.columns.items():
            if path.children not in below:
                below[path.children] = self._children(parent, rows, path.children)
            holders = below[path.children]
            if path.attribute:
                cells[name] = self._attributes(name, parent, holders, path)
            else:
                cells[name] = [None if e is None else e.text for e in holders]
        return cells

    def _children(
        self, parent: Element, rows: Sequence[Element], path: tuple[str, ...]
    ) -> list[Element | None]:
        """The element at a path below each row."""
        steps = "/".join(path)
        # Most rows hold nothing else: this is ten times quicker than to search.
        if len(path) == 1 and max(map(len, rows)) == 1:
            found: list[Element | None] = self._query(f"{self._form.row}/{steps}")(parent)  # type: ignore[assignment]
            if len(found) == len(rows):
                return found
        return [row.find(steps) for row in rows]

    def _query(self, steps: str) -> XPath:
        if steps not in self._queries:
            self._queries[steps] = XPath(steps, smart_strings=False)
        return self._queries[steps]

    def _attributes(
        self, column: str, parent: Element, holders: Sequence[Element | None], path: XmlPath
    ) -> list[str | None]:
        """One attribute of many elements; at once where all or none have it."""
        query = self._of_columns.get(column)
        if query is None:
            steps = "/".join((self._form.row, *path.children, f"@{path.attribute}"))
            query = self._of_columns[column] = XPath(steps, smart_strings=False)
        # A query for attributes gives their texts, whatever else queries may give.
        texts: list[str | None] = query(parent)  # type: ignore[assignment]
        if not texts:
            return [None] * len(holders)
        if len(texts) == len(holders) and not path.children:
            return texts
        name = path.attribute or ""
        return [None if e is None else e.get(name) for e in holders]

    def _groups(
        self, cells: Mapping[str, list[str | None]], keys: Keys, lines: Sequence[int]
    ) -> Iterator[tuple[Keys, Sequence[int]]]:
        """Keys and rows of each series among rows that name keys themselves."""
        count = len(lines)
        named = [name for name in ("area", "point", "channel") if name in cells]
        if not named:
            yield keys, range(count)
            return
        groups: dict[tuple[str | None, ...], list[int]] = {}
        for index in range(count):
            groups.setdefault(tuple(cells[name][index] for name in named), []).append(index)
        for values, indexes in groups.items():
            group = dict(keys)
            for name, text in zip(named, values, strict=True):
                code = read_code(text)
                if isinstance(code, str):
                    group[name] = code
                elif isinstance(code, Fault):
                    self._row_fault(code, name, text, lines[indexes[0]], keys)
                    break
            else:
                yield group, indexes

    def _row_fault(self, fault: Fault, name: str, text: str | None, line: int, keys: Keys) -> None:
        if self._draft.findings.is_counted(fault.code):
            return
        self._draft.findings.add(
            finding(
                fault.code,
                Place(line=line),
                seen=plain(text or "") or None,
                point=keys.get("point"),
                meter=keys.get("meter"),
                field=name,
                expected=fault.expected,
            )
        )

    def _column(
        self, cells: Mapping[str, list[str | None]], lines: Sequence[int], keys: Keys
    ) -> None:
        layout, header = self._layout, self._draft.header
        point = keys.get("point")
        named = point is not None
        if point is None and layout.point_from_sender:
            point = header.sender_code
        channel = self._channel(keys.get("channel"))
        if channel is None or (point is None and not layout.point_from_sender):
            missing = "channel" if channel is None else "point"
            self._row_fault(Fault(Code.MISSING_FIELD), missing, None, lines[0], keys)
            return
        self._draft.points.add((keys.get("area"), point))
        self._areas.add(keys.get("area", ""))
        times = self._times(cells, lines, {**keys, "channel": channel})
        starts, ends, skipped = self._moments(times)
        column = Column(
            area=keys.get("area"),
            point=point,
            channel=channel,
            named=named,
            starts=list(starts),
            ends=None if ends is None else list(ends),
            values=list(cells["value"]),
            places=list(lines),
            flagged=_flagged(cells.get("status")),
        )
        times.tell_skipped(column.leave_out_skipped(skipped))
        self._draft.add_column(column)

    def _channel(self, raw: str | None) -> str | None:
        if raw not in self._channels:
            known = self._layout.default_channel if raw is None else channel_of(raw, self._layout)
            self._channels[raw] = known or raw
        return self._channels[raw]

    def _zone(self, raw: str | None) -> str | None:
        if raw not in self._zones:
            self._zones[raw] = zone_of(raw, self._layout)
        return self._zones[raw]

    def _readings(
        self, cells: Mapping[str, list[str | None]], lines: Sequence[int], keys: Keys
    ) -> None:
        times = self._times(cells, lines, keys)
        instants, _, skipped = times.read()
        times.tell_skipped(skipped)
        named = [name for name in ("point", "meter", "channel", "zone") if name in cells]
        for index, line in enumerate(lines):
            place = dict(keys)
            for name in named:
                if code := (cells[name][index] or "").strip():
                    place[name] = code
            meter, channel = place.get("meter"), self._channel(place.get("channel"))
            zone = self._zone(place.get("zone"))
            if meter is None or channel is None:
                missing = "meter" if meter is None else "channel"
                self._row_fault(Fault(Code.MISSING_FIELD), missing, None, line, place)
            else:
                if zone is None:
                    fault = Fault(Code.INVALID_CODE, "T0, T1, T2, T3, T4")
                    self._row_fault(fault, "zone", place.get("zone"), line, place)
                point, value = place.get("point"), cells["value"][index]
                self._draft.readings.append(
                    Reading(point, meter, channel, zone, instants[index], value, line)
                )

    def _moments(self, times: RowTimes) -> Moments:
        """Those of a column; mostly every column of a document has the same."""
        cells = times.cells
        texts = [cells[name] for name in ("start", "end", "summer") if name in cells]
        written = tuple(itertools.chain.from_iterable(texts))
        known = self._known_times.get(written)
        if known is None:
            self._timed += len(times.lines)
            if self._timed > MOST_TIMES:
                raise TooCostlyError(str(MOST_TIMES))
            told = len(self._draft.findings)
            known = times.read()
            # What is wrong with one column must be told of the next one, too.
            if len(self._draft.findings) == told:
                self._known_times[written] = known
        return known

    def _times(
        self, cells: Mapping[str, list[str | None]], lines: Sequence[int], keys: Keys
    ) -> RowTimes:
        found = self._draft.findings
        return RowTimes(self._layout, self._form, self._day, cells, lines, keys, found)


def _own_names(definition: XmlDefinition) -> frozenset[str]:
    """First elements of header paths and of level keys: read where they stand."""
    paths = [field.path for field in definition.header]
    paths += [
        path for form in definition.forms for level in form.levels for path in level.keys.values()
    ]
    return frozenset(path.children[0] for path in paths if path.children)


def _header_value(field: HeaderField, text: str, clock_: Clock) -> object:
    if field.type == "code":
        code = read_code(text)
        fits = isinstance(code, str) and code.isascii() and code.isdigit()
        return code if fits else Fault(Code.INVALID_CODE, "0-9")
    if field.type == "integer":
        fits = text.isascii() and text.isdigit() and len(text) <= 15
        return int(text) if fits else Fault(Code.INVALID_NUMBER)
    if field.type in ("instant", "date"):
        local = read_local(text, field.format)
        moment = local if local is None or field.type == "date" else instant(clock_.epoch(local))
        return moment or Fault(Code.INVALID_DATE, field.format.text)
    return text


def _flagged(statuses: Sequence[str | None] | None) -> set[int]:
    """Indexes whose status is not that of a value fit for billing."""
    return {i for i, text in enumerate(statuses or ()) if (text or "0").strip() not in ("0", "")}

"""Layouts as data: what a definition file may say, checked when it is loaded.

A definition tells one generic reader per container where things stand. It is a
TOML file; `docs/layouts.md` explains each key, and the built-in definitions
beside this module are its examples.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from layouts.section import LayoutError, Section
from layouts.terms import CHANNELS, ZONES, Kind, Language
from layouts.workbook_form import WorkbookDefinition, workbook_form

UNITS = {"Wh": 0, "kWh": 3, "MWh": 6, "varh": 0, "kvarh": 3, "Mvarh": 6}
"""Units a document may count in, with the power of ten that makes them Wh or varh."""

XML_FIELDS = {
    "version": "text",
    "sender_code": "code",
    "sender_inn": "code",
    "sender_name": "text",
    "password": "text",
    "created": "instant",
    "number": "integer",
    "day": "date",
    "summer": "text",
}
"""Header fields of an XML document, with what each one's text must be."""

KEYS = ("area", "area_name", "point", "meter", "channel", "zone")
MOMENTS = ("start", "end", "instant", "summer")
XML_COLUMNS = ("area", "point", "meter", "channel", "zone", *MOMENTS, "value", "status")


@dataclass(frozen=True, slots=True)
class XmlPath:
    """Where a text stands below an element: `@code`, `inn`, `value/@status`."""

    children: tuple[str, ...]
    attribute: str | None

    def __str__(self) -> str:
        return "/".join((*self.children, *((f"@{self.attribute}",) if self.attribute else ())))


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """A fixed-width form of local time, such as `YYYYMMDDHH` or `HHMM`.

    Attributes:
        parts: Name of each part with the slice of the text that holds it.
    """

    text: str
    parts: Mapping[str, slice]

    @property
    def has_date(self) -> bool:
        """Whether it names the day; else the day comes from the header."""
        return "year" in self.parts


NO_FORMAT = TimeFormat("", {})


@dataclass(frozen=True, slots=True)
class HeaderField:
    """One fact that an XML document states about itself.

    Attributes:
        path: Where it stands in an XML document.
            format: Of an instant or a date in XML.
    """

    name: str
    type: str
    required: bool = False
    path: XmlPath = XmlPath((), None)
    format: TimeFormat = NO_FORMAT


@dataclass(frozen=True, slots=True)
class Level:
    """An XML element around series, and the keys that it contributes to them."""

    element: str
    keys: Mapping[str, XmlPath]
    required: frozenset[str]


@dataclass(frozen=True, slots=True)
class XmlForm:
    """The body of some versions of an XML document: levels around rows.

    Attributes:
        columns: Where each part of a row stands, below the row's element.
        start_format: Of the `start` or `instant` column.
        end_format: Of the `end` column.
    """

    versions: tuple[str, ...]
    levels: tuple[Level, ...]
    row: str
    columns: Mapping[str, XmlPath]
    start_format: TimeFormat
    end_format: TimeFormat | None = None


@dataclass(frozen=True, slots=True)
class XmlDefinition:
    """How a layout looks in XML.

    Attributes:
        root: Name of the root element.
        class_attribute: Attribute of the root that holds the class; '' when the
            root's name alone tells the layout.
        ignore: Elements passed over without a word.
        skip: Elements passed over with the warning `skipped-element`.
    """

    root: str
    class_attribute: str
    header: tuple[HeaderField, ...]
    forms: tuple[XmlForm, ...]
    ignore: frozenset[str]
    skip: frozenset[str]


@dataclass(frozen=True, slots=True)
class NamePattern:
    """What a file's name repeats of its content.

    Attributes:
        pattern: Of the name without its ending; groups name header fields.
        errors: Groups whose contradiction is an error; others give a warning.
    """

    pattern: re.Pattern[str]
    errors: frozenset[str]


@dataclass(frozen=True, slots=True)
class Layout:
    """One agreed form of a document.

    Attributes:
        number: The class, such as `52005`.
        aliases: Other class numbers with the same grammar.
        titles: What it is called, by language.
        step_minutes: Permitted interval lengths; empty for register readings.
        zone: Time zone of the document's local times.
        order: Header fields that tell which of two documents is the newer
            ("created", "number"); empty: the moment of receipt.
        deadline: "register", "daily" or "monthly".
        expects: Whose absence is `point-missing`: "entity", "area" or "none".
        unit: What values are counted in; a key of `UNITS`.
        decimals: Most decimals that a value may have, in `unit`.
        period: "month", "day", or "" when a document may hold any span.
        future_zero: Whether zeros in hours that end after `created` are padding.
        point_from_sender: Whether values without a point belong to the point
            whose code is the user code.
        channels: Channel codes of the form, and what each means.
        skip_channels: Whether channels not in `channels` are passed over.
        zones: Zone labels of the form, and what each means.
        example: One example line of the form.
    """

    number: str
    aliases: tuple[str, ...]
    titles: Mapping[str, str]
    kind: Kind
    step_minutes: tuple[int, ...]
    zone: str
    order: tuple[str, ...]
    deadline: str
    expects: str
    unit: str
    decimals: int
    period: str
    future_zero: bool
    point_from_sender: bool
    default_channel: str | None
    default_zone: str | None
    channels: Mapping[str, str]
    skip_channels: bool
    zones: Mapping[str, str]
    example: str
    xml: XmlDefinition | None = field(default=None, repr=False)
    workbook: WorkbookDefinition | None = field(default=None, repr=False)
    file_name: NamePattern | None = field(default=None, repr=False)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The class and its aliases."""
        return (self.number, *self.aliases)


def load(path: Path | None = None) -> dict[str, Layout]:
    """Every layout by its class: the built-in ones, then those of a folder.

    A definition in the folder replaces the built-in one of its class.

    Raises:
        LayoutError: a definition has a mistake, or the folder cannot be read.
    """
    layouts = dict(_built_in())
    if path is not None:
        if not path.is_dir():
            raise LayoutError(path, "path", "expected a folder of layout definitions")
        layouts.update(_load_folder(path))
    return layouts


@cache
def _built_in() -> dict[str, Layout]:
    # They do not change while a process lives.
    return _load_folder(Path(__file__).parent)


def _load_folder(folder: Path) -> dict[str, Layout]:
    layouts: dict[str, Layout] = {}
    for file in sorted(folder.glob("*.toml")):
        layout = load_file(file)
        if layout.number in layouts:
            raise LayoutError(file, "class", f"{layout.number} is defined twice in this folder")
        layouts[layout.number] = layout
    return layouts


def load_file(file: Path) -> Layout:
    """The layout that one file defines.

    Raises:
        LayoutError: it cannot be read, or says something it should not.
    """
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise LayoutError(file, "file", f"cannot be read as TOML: {error}") from error
    return _layout(Section(file, "", data))


def _layout(top: Section) -> Layout:
    kind = Kind(top.text("kind", among=[kind.value for kind in Kind]))
    values, channels = top.section("values"), top.section("channels")
    layout = Layout(
        number=_number(top),
        aliases=top.items("aliases"),
        titles=_titles(top.section("titles")),
        kind=kind,
        step_minutes=_steps(values, kind),
        zone=_zone(top),
        order=top.items("order", among=("created", "number")),
        deadline=top.text("deadline", among=("register", "daily", "monthly")),
        expects=top.text("expects", among=("entity", "area", "none")),
        unit=values.text("unit", among=tuple(UNITS)),
        decimals=_decimals(values, kind),
        period=values.text("period", "", among=("month", "day")),
        future_zero=values.flag("future_zero"),
        point_from_sender=values.flag("point_from_sender"),
        default_channel=values.text("default_channel", "", among=CHANNELS) or None,
        default_zone=values.text("default_zone", "", among=ZONES) or None,
        channels=channels.section("codes").mapping(CHANNELS),
        skip_channels=channels.text("others", "keep", among=("keep", "skip")) == "skip",
        zones=top.section("zones").mapping(ZONES),
        example=top.text("example"),
        xml=_xml(top.section("xml"), kind) if top.has("xml") else None,
        workbook=workbook_form(top.section("workbook"), kind) if top.has("workbook") else None,
        file_name=_file_name(top.section("file_name")) if top.has("file_name") else None,
    )
    for section in (top, values, channels):
        section.done()
    if layout.xml is None and layout.workbook is None:
        raise top.wrong("xml", "a table xml or a table workbook")
    return layout


def _number(top: Section) -> str:
    number = top.text("class")
    if not number.isdigit():
        raise top.wrong("class", 'digits in quotes, such as "52005"')
    return number


def _titles(section: Section) -> dict[str, str]:
    # What a layout does not say in a language is said in Russian.
    russian = section.text(Language.RUSSIAN)
    titles = {language.value: section.text(language, russian) for language in Language}
    section.done()
    return titles


def _steps(values: Section, kind: Kind) -> tuple[int, ...]:
    steps: tuple[int, ...] = values.items("step_minutes", int)
    if kind is Kind.REGISTER:
        if steps:
            raise values.wrong("step_minutes", "nothing: register readings have no step")
        return ()
    if not steps or not all(step > 0 and 1440 % step == 0 for step in steps):
        raise values.wrong("step_minutes", "minutes that divide a day, such as [30, 60]")
    return steps


def _decimals(values: Section, kind: Kind) -> int:
    # Energy is kept in whole watt-hours: more decimals could not be kept exactly.
    unit = values.text("unit", among=tuple(UNITS))
    most = UNITS[unit] if kind is Kind.INTERVAL else 6
    return values.number("decimals", most, most)


def _zone(top: Section) -> str:
    name = top.text("zone")
    try:
        zone = ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise top.wrong("zone", 'the name of a time zone, such as "Europe/Moscow"') from error
    # A history is summed up by hours, which are the same ones in every such zone.
    offsets = [f"{datetime(2026, month, 1, tzinfo=zone):%z}" for month in (1, 7)]
    if not all(offset.endswith("00") for offset in offsets):
        raise top.wrong("zone", "a time zone of whole hours from UTC")
    return name


def _xml(section: Section, kind: Kind) -> XmlDefinition:
    header = section.section("header")
    definition = XmlDefinition(
        root=_name(section, "root"),
        class_attribute=_name(section, "class_attribute", ""),
        header=tuple(_xml_field(header, name) for name in header.names(XML_FIELDS)),
        forms=tuple(_form(form, kind) for form in section.sections("form")),
        ignore=frozenset(section.items("ignore")),
        skip=frozenset(section.items("skip")),
    )
    section.done()
    if not definition.forms:
        raise section.wrong("form", "at least one [[xml.form]]")
    return definition


def _xml_field(header: Section, name: str) -> HeaderField:
    section = header.section(name)
    kind = XML_FIELDS[name]
    timed = kind in ("instant", "date")
    made = HeaderField(
        name=name,
        type=kind,
        required=section.flag("required"),
        path=_path(section, "path"),
        format=_format(section, "format") if timed else NO_FORMAT,
    )
    section.done()
    return made


_NAME = re.compile(r"[^\W\d][\w.-]*")
_PATH = re.compile(rf"(?:{_NAME.pattern}/)*@?{_NAME.pattern}")


def _name(section: Section, key: str, default: str | None = None) -> str:
    name = section.text(key, default)
    if name != default and not _NAME.fullmatch(name):
        raise section.wrong(key, "a name of XML, without a prefix")
    return name


def _path(section: Section, name: str) -> XmlPath:
    text = section.text(name)
    if not _PATH.fullmatch(text):
        raise section.wrong(name, "a path such as @code, inn or value/@status")
    *children, last = text.split("/")
    if last.startswith("@"):
        return XmlPath(tuple(children), last[1:])
    return XmlPath((*children, last), None)


_TOKEN = re.compile(r"YYYY|MM|DD|HH|SS|[-.:/ T]")


def _format(section: Section, name: str) -> TimeFormat:
    text = section.text(name)
    parts: dict[str, slice] = {}
    position = 0
    for token in _TOKEN.finditer(text):
        if token.start() != position:
            break
        position = token.end()
        # MM is the month until the hour has been named, and the minute after it.
        part = {"YYYY": "year", "DD": "day", "HH": "hour", "SS": "second"}.get(token[0])
        if token[0] == "MM":
            part = "minute" if "hour" in parts else "month"
        if part is not None:
            parts[part] = slice(*token.span())
    if position != len(text) or not ({"year", "month", "day"} <= parts.keys() or "hour" in parts):
        raise section.wrong(name, "a form of time such as YYYYMMDDHH or HHMM")
    return TimeFormat(text, parts)


def _form(section: Section, kind: Kind) -> XmlForm:
    columns = section.section("columns")
    moment = "start" if kind is Kind.INTERVAL else "instant"
    form = XmlForm(
        versions=section.items("versions"),
        levels=tuple(_level(level) for level in section.sections("level")),
        row=_name(section, "row"),
        columns={name: _path(columns, name) for name in columns.names(XML_COLUMNS)},
        start_format=_format(section, f"{moment}_format"),
        end_format=_format(section, "end_format") if section.has("end_format") else None,
    )
    section.done()
    for needed in (moment, "value"):
        if needed not in form.columns:
            raise columns.wrong(needed, "a path, but it is missing")
    if ("end" in form.columns) != (form.end_format is not None):
        raise section.wrong("end_format", "a form of time exactly when there is a column end")
    return form


def _level(section: Section) -> Level:
    keys = section.section("keys")
    level = Level(
        element=_name(section, "element"),
        keys={name: _path(keys, name) for name in keys.names(KEYS)},
        required=frozenset(section.items("required", among=KEYS)),
    )
    section.done()
    return level


def _file_name(section: Section) -> NamePattern:
    text = section.text("pattern")
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise section.wrong("pattern", f"a regular expression ({error})") from error
    among = ("class", "sender_code", "sender_inn", "created", "day", "number", "area")
    for group in pattern.groupindex:
        if group not in among:
            raise section.wrong("pattern", f"groups named {', '.join(among)}")
    made = NamePattern(pattern, frozenset(section.items("errors", among=tuple(pattern.groupindex))))
    section.done()
    return made

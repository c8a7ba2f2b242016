"""What is said about a finding: title, rule and advice, in the reply's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from ingest.replies.wording import MOSCOW, Wording, catalogue, wording
from layouts.findings import COMPUTED, Code, Finding, Place
from layouts.terms import quantity_of

_FIELD = re.compile(r"\{(\w+)(?::(\w+))?\}")
_DATE_FORM = re.compile(r"[YMDHS]{2,14}")
# What the readers of workbooks expect is told by an example.
_EXAMPLES = {
    "date": re.compile(r"\d\d\.\d\d\.\d{4}"),
    "month": re.compile(r"\d\d\.\d{4}"),
    "digits": re.compile("0-9"),
}
_PARTS = re.compile(r"\[([^\[\]]*)\]")


def title(code: Code, language: str) -> str:
    """The finding in a few words."""
    return _text(code, "title", language)


def advice(code: Code, language: str) -> str:
    """What the sender does about it."""
    return _text(code, "advice", language)


def sentence(finding: Finding, language: str, words: Wording | None = None) -> str:
    """The rule and what was found against it, for one finding.

    A detail that the finding does not have leaves its part of the sentence out.

    Args:
        finding: Speaks by its public code.
        language: `ru` or `en`.
        words: How to write numbers and moments; Moscow time when not given.
    """
    words = words or wording(language, MOSCOW)
    values = _values(finding, words)
    told = fill(_text(finding.public_code, "sentence", language), values, words)
    return f"{told} {words.say('overridden')}" if finding.is_overridden else told


def place(where: Place, language: str) -> str:
    """A place without its file, as the language says it; '' when it is not known."""
    return wording(language).places([where])


def phrase(words: Wording, group: str, key: str, **values: object) -> str:
    """A phrase of the words' catalogue with its values, written as the language does."""
    return fill(words.word(group, key), values, words)


def fill(template: str, values: Mapping[str, object], words: Wording) -> str:
    """A template with its values; a bracketed part with an unknown one is left out."""
    parts = _PARTS.split(template)
    # Odd elements are the bracketed parts; values are never looked at again, so
    # brackets and braces in a sender's text stay what they are.
    told = [_part(part, values, words, optional=n % 2 == 1) for n, part in enumerate(parts)]
    return "".join(told)


def _text(code: Code, key: str, language: str) -> str:
    return str(catalogue("findings", language)[code][key])


def _part(text: str, values: Mapping[str, object], words: Wording, *, optional: bool) -> str:
    fields = _FIELD.findall(text)
    if optional and any(values.get(name) in {None, ""} for name, _ in fields):
        return ""
    return _FIELD.sub(lambda m: _written(m[1], m[2], values, words), text)


def _written(name: str, kind: str, values: Mapping[str, object], words: Wording) -> str:
    value = values.get(name)
    if value is None:
        return "…"
    if kind == "energy":
        return _energy(str(value), str(values.get("unit", "")), words)
    return KINDS[kind](str(value), words) if kind else str(value)


ALWAYS_KNOWN = frozenset(
    {
        "point", "area", "meter", "channel", "zone", "place", "count", "when", "seen", "unit",
        "label",
    }
)  # fmt: skip
"""Values that the texts of every finding may tell."""


def _values(finding: Finding, words: Wording) -> dict[str, object]:
    values: dict[str, object] = {
        "point": finding.point,
        "area": finding.area,
        "meter": finding.meter,
        "channel": finding.channel,
        "zone": finding.zone,
        "place": words.places([finding.place]),
        "count": finding.count,
        "when": words.period(finding.start, finding.end) if finding.start else None,
        "seen": seen(finding, finding.seen, words) if finding.seen else None,
    }
    # In a workbook what is expected is a label that people see; in XML a path.
    label = finding.detail.get("expected") if finding.place.sheet is not None else None
    return {"unit": _unit(finding), "label": label, **finding.detail, **values}


def seen(finding: Finding, text: str, words: Wording) -> str:
    """What was found: text of the document in quotes, or an amount that a rule made out."""
    if finding.code not in COMPUTED:
        return words.quoted(text)
    if text.endswith("%"):
        return _share(text, words)
    return _energy(text, _unit(finding), words)


def _unit(finding: Finding) -> str:
    """What a rule counts amounts in: intervals in Wh, a register as on its face."""
    quantity = quantity_of(finding.channel)
    return quantity.interval_unit if finding.zone is None else quantity.register_unit


def _energy(text: str, unit: str, words: Wording) -> str:
    amount = _amount(text)
    if amount is None:
        return words.quoted(text)
    told = words.energy(int(amount)) if unit in {"Wh", "varh"} else words.number(amount)
    return f"{told} {words.words['unit'].get(unit, unit)}"


def _share(text: str, words: Wording) -> str:
    return f"{_number(text.rstrip('%'), words)}%"


def _number(text: str, words: Wording) -> str:
    value = _amount(text)
    return text if value is None else words.number(value)


def _amount(text: str) -> Decimal | None:
    """The number that a text is; None for what nobody would write out."""
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    return value if value.is_finite() and abs(value.adjusted()) < _WRITTEN_OUT else None


def _moment(text: str, words: Wording) -> str:
    return _instant(text, words.moment)


def _until(text: str, words: Wording) -> str:
    return _instant(text, words.until)


def _day(text: str, words: Wording) -> str:
    return _instant(text, words.day)


def _instant(text: str, write: Callable[[datetime], str]) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return write(moment if moment.tzinfo else moment.replace(tzinfo=MOSCOW))


def _month(text: str, words: Wording) -> str:
    return _instant(f"{text}-01", words.month)


def _listed(text: str, _: Wording) -> str:
    return ", ".join(text.split())


def _looked_up(group: str) -> Callable[[str, Wording], str]:
    """Writes a name as the words' group has it; one it does not know stays as it is."""
    return lambda text, words: str(words.words[group].get(text, text))


def _form(text: str, words: Wording) -> str:
    """What was expected, as the readers name it."""
    if text == "0123456789":
        return words.word("form", "digits")
    if text.startswith("at most "):
        return words.word("form", "at_most").format(most=text.removeprefix("at most "))
    for kind, example in _EXAMPLES.items():
        if example.fullmatch(text):
            return words.word("form", kind).format(example=text)
    if _DATE_FORM.fullmatch(text):
        return text.translate(str.maketrans("YMDHS", words.word("writing", "moment")))
    return text


_WRITTEN_OUT = 40
"""Places that a number is told with at most."""

KINDS: Mapping[str, Callable[[str, Wording], Any]] = {
    "number": _number,
    "moment": _moment,
    "until": _until,
    "day": _day,
    "list": _listed,
    "form": _form,
    "quoted": lambda text, words: words.listed(list(map(words.quoted, text.splitlines())), 20),
    "field": _looked_up("field"),
    "reason": _looked_up("reason"),
    "exchange": _looked_up("exchange"),
    "month": _month,
    "share": _share,
    "values": lambda text, words: words.count(int(text), "value"),
}


@dataclass(frozen=True, slots=True)
class ToldFinding:
    """A finding as operators and programs see it: its fields are the keys of `--json`.

    Attributes:
        message: The rule, and what to do, in a sentence.
    """

    code: str
    severity: str
    place: str
    point: str | None
    meter: str | None
    channel: str | None
    seen: str | None
    message: str


def told_finding(item: Finding, language: str) -> ToldFinding:
    """One finding, as operators may see it: a foreign point is called so."""
    return ToldFinding(
        code=item.code.value,
        severity=item.severity.value,
        place=str(item.place),
        point=item.point,
        meter=item.meter,
        channel=item.channel,
        seen=item.seen,
        message=sentence(item, language),
    )

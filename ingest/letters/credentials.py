"""User code and password as people write them into a letter.

The rules stand in `docs/credentials.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ingest.letters.terms import Credential, Source

PASSWORD_MOST = 200
"""Characters of the longest password that is tried."""

_LINE_MOST = 2000
_FOUND_MOST = 50

_LABEL = re.compile(
    r"""(?ix) (?<!\w) (?P<bold>[*_]{1,2})? (?:
        (?P<password> пароль | parol'? | password | passwd | pass | pwd )
      | (?P<code>
            код (?:\ {1,3} (?: пользователя | абонента | потребителя | клиента ))? | kod
          | логин | пользователь
          | user (?:[\ _-]? (?: code | name | id ))? | login | code )
    )
    (?:\ ?\([^()]{0,40}\) | \ (?: для | от | к | в )\ [^:=\t]{1,40}(?=[:=]) )?
    (?P<end> (?(bold)[*_]{0,2}) \ {0,20} (?P<sign>[:=\t–—-]) (?(bold)[*_]{0,2}) | \ * $ )
    """
)
_CODE = re.compile(r"\s*[\"'«“„*_]{0,2}(\d{1,4}(?: \d{3,4}){2,5}|\d{3,20})(?!\w)")
_WORD_BEFORE = re.compile(r"([^\W\d_]+)([ -])$")
_OTHER_CODES = frozenset(
    {
        *("почтовый", "телефонный", "региональный", "штрих", "qr", "bar", "postal", "post", "zip"),
        *("area", "country", "dial", "error"),
    }
)
_QUOTED = {'"': '"', "'": "'", "«": "»", "“": "”", "„": "“”", "‘": "’", "`": "`"}
_TRAILING = (".", ",", ";", "|", "/")
# Hyphens and dashes that word processors write for the one on the keyboard.
_PLAIN_HYPHENS = dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")


@dataclass(frozen=True, slots=True)
class _Label:
    """A label in a line: what it announces, where it begins and where its value does."""

    is_password: bool
    start: int
    value: int
    code: str = ""


def find_credentials(text: str, source: Source) -> tuple[Credential, ...]:
    """Every user code and password that `text` names, in its order.

    A password that can be meant in several ways gives several credentials: as
    written, without a sign that ends the sentence, without its quotes.
    """
    found: list[Credential] = []
    code: str | None = None
    password: str | None = None
    for is_password, value in _values(text.split("\n")):
        taken = password if is_password else code
        if taken is not None and taken != value:
            found += _expanded(source, code, password)
            code = password = None
        if is_password:
            password = value
        else:
            code = value
        if len(found) > _FOUND_MOST:
            break
    found += _expanded(source, code, password)
    return tuple(dict.fromkeys(found))


def _expanded(source: Source, code: str | None, password: str | None) -> list[Credential]:
    if password is None:
        return [Credential(source, code)] if code else []
    return [Credential(source, code, candidate) for candidate in candidates(password)]


def candidates(written: str) -> tuple[str, ...]:
    """How a written password can be meant, the most literal first."""
    forms = [written]
    if written.endswith(_TRAILING):
        forms.append(written[:-1].rstrip())
    forms += [form[1:-1].strip() for form in forms if _is_quoted(form)]
    forms += [form.translate(_PLAIN_HYPHENS) for form in forms]
    return tuple(dict.fromkeys(form for form in forms if form))


def _is_quoted(text: str) -> bool:
    return len(text) > 2 and text[-1] in _QUOTED.get(text[0], ())


def _values(lines: Sequence[str]) -> Iterator[tuple[bool, str]]:
    """(is a password, value) of every label that has a value."""
    for at, whole in enumerate(lines):
        line = whole[:_LINE_MOST]
        following = next((one for one in lines[at + 1 : at + 3] if one.strip()), "")[:_LINE_MOST]
        columns = [_label_alone(cell) for cell in line.split("\t") if cell.strip()]
        if len(columns) > 1 and all(columns):
            yield from _row(filter(None, columns), following)
            continue
        labels = list(_labels(line, following))
        ends = [label.start for label in labels[1:]]
        for label, end in zip_longest(labels, ends):
            value = _value(label, line, end, following)
            if value:
                yield label.is_password, value


def _label_alone(cell: str) -> re.Match[str] | None:
    """The label when the cell holds nothing else."""
    match = _LABEL.match(cell.strip(" :") + ":")
    return match if match and match.end() == len(cell.strip(" :")) + 1 else None


def _row(columns: Iterable[re.Match[str]], following: str) -> Iterator[tuple[bool, str]]:
    """The values under a row of labels; none when more labels stand there."""
    cells = following.split("\t")
    if any(_label_alone(cell) for cell in cells):
        return
    for label, cell in zip(columns, cells, strict=False):
        code = _CODE.match(cell)
        if label["password"] is not None and cell.strip():
            yield True, cell.strip()
        elif code is not None:
            yield False, code[1].replace(" ", "")


def _labels(line: str, following: str) -> Iterator[_Label]:
    """The labels of one line; what only looks like one is passed over."""
    for match in _LABEL.finditer(line):
        if match["password"] is not None:
            is_first = not line[: match.start()].strip(" \t*-–—•>")
            if match["sign"] or is_first:
                yield _Label(True, match.start(), match.end())
            continue
        if _is_other_code(line[max(0, match.start() - 20) : match.start()]):
            continue
        rest = line[match.end() :]
        code = _CODE.match(rest) or (None if rest.strip() else _CODE.match(following))
        if code is not None:
            yield _Label(False, match.start(), match.end(), code[1].replace(" ", ""))


def _is_other_code(before: str) -> bool:
    """Whether the words before a label make it a post code, a bar code and the like."""
    word = _WORD_BEFORE.search(before)
    return word is not None and (word[2] == "-" or word[1].lower() in _OTHER_CODES)


def _value(label: _Label, line: str, end: int | None, following: str) -> str:
    """A label's value: on its line up to the next label, else the line below."""
    if not label.is_password:
        return label.code
    value = line[label.value : end].strip()
    if not value and end is None and not _LABEL.match(following.lstrip(" *_")):
        value = following.strip()
    # A table's next cell is a remark.
    value = value.partition("\t")[0].strip()
    if _label_alone(value):
        return ""
    return value if len(value) <= PASSWORD_MOST else ""

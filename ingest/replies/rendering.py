"""Renders a reply's view as text and as HTML."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import TYPE_CHECKING

from ingest.replies.own import Signature
from ingest.replies.view import ReplyView, Table
from ingest.replies.wording import TEMPLATES, Wording

if TYPE_CHECKING:
    import jinja2


def written(told: ReplyView, words: Wording, signature: Signature) -> tuple[str, str]:
    """The same in text and in HTML, in which every value is escaped."""
    text, html = _templates()
    values = {"reply": told, "w": words, "signature": signature.lines(words)}
    return text.render(values), html.render(values)


_FONT = "font-family:Arial,Helvetica,sans-serif;font-size:14px;line-height:1.4;color:#222222;"
_WHOLE = f"border:1px solid #c8c8c8;padding:4px 6px;vertical-align:top;{_FONT}"
# On a phone a long name breaks anywhere, a number or a date never inside.
_CELL = f"{_WHOLE}word-break:break-word;"
_STYLES = {"[[ font ]]": _FONT, "[[ whole ]]": _WHOLE, "[[ cell ]]": _CELL}


def _source(name: str) -> str:
    """A template with the styles that stand in every cell, as mail programs want them."""
    source = (TEMPLATES / name).read_text(encoding="utf-8")
    for mark, style in _STYLES.items():
        source = source.replace(mark, style)
    return source


@lru_cache(maxsize=1)
def _templates() -> tuple[jinja2.Template, jinja2.Template]:
    # Here, because verbs that write no reply should start without it.
    import jinja2
    from markupsafe import Markup, escape

    first, following, number = (
        f'<td{align} style="{style}">'
        for align, style in (("", _CELL), ("", _WHOLE), (' align="right"', _WHOLE))
    )

    def as_text(table: Table) -> str:
        """A table's rows, a line each; quicker than a loop in the template, as is `as_html`."""
        return "".join([f"\n  {' · '.join(row)}" for row in table.rows])

    def as_html(table: Table) -> Markup:
        """A table's rows, each cell in its tag."""
        columns = range(1, len(table.headings))
        openings = (first, *(number if n in table.numeric else following for n in columns))
        form = f"\n<tr>{''.join([f'{opening}%s</td>' for opening in openings])}</tr>"
        rows: Iterable[tuple[str, ...]] = table.rows
        written = "".join(chain.from_iterable(rows))
        if any(sign in written for sign in "&<>\"'"):
            rows = [tuple(map(escape, row)) for row in rows]
        return Markup("".join([form % row for row in rows]))  # noqa: S704

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters.update(as_text=as_text, as_html=as_html)
    return environment.get_template("reply.txt.j2"), environment.get_template("reply.html.j2")

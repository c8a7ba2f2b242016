"""Renders a reply's view as text and as HTML."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ingest.replies.own import Signature
from ingest.replies.view import ReplyView
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

    def cells(row: Sequence[str], numeric: Container[int]) -> Markup:
        """A row's cells, each in its tag; quicker than a loop in the template."""
        openings = [first, *(number if at in numeric else following for at in range(1, len(row)))]
        pairs = zip(openings, row, strict=True)
        return Markup("".join([f"{opening}{escape(text)}</td>" for opening, text in pairs]))  # noqa: S704

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_source),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["cells"] = cells
    return environment.get_template("reply.txt.j2"), environment.get_template("reply.html.j2")

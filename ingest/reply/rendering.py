"""A reply's view written down as text and as HTML."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ingest.reply.view import ReplyView
from ingest.reply.wording import TEMPLATES, Wording

if TYPE_CHECKING:
    import jinja2


def written(told: ReplyView, words: Wording) -> tuple[str, str]:
    """The same in text and in HTML, in which every value is escaped."""
    text, html = _templates()
    values = {"reply": told, "w": words}
    return text.render(values), html.render(values)


@lru_cache(maxsize=1)
def _templates() -> tuple[jinja2.Template, jinja2.Template]:
    # Here, because verbs that write no reply should start without it.
    import jinja2
    from markupsafe import Markup, escape

    def cells(
        row: Sequence[str],
        first: Markup,
        following: Markup,
        number: Markup,
        numeric: Container[int],
    ) -> Markup:
        """A row's cells, each after its opening tag; quicker than a loop in the template."""
        openings = [first, *(number if at in numeric else following for at in range(1, len(row)))]
        pairs = zip(openings, row, strict=True)
        return Markup("".join([f"{opening}{escape(text)}</td>" for opening, text in pairs]))  # noqa: S704

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=jinja2.select_autoescape(enabled_extensions=("html.j2",)),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
    )
    environment.filters["cells"] = cells
    return environment.get_template("reply.txt.j2"), environment.get_template("reply.html.j2")

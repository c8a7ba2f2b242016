"""What every page has: the service, the settings, templates; and one visit with its answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from jinja2 import nodes
from jinja2.compiler import CodeGenerator, Frame
from jinja2.visitor import NodeTransformer
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from ingest.operations.account.desk import Desk
from ingest.operations.account.sessions import Visitor, digest
from ingest.operations.console.lacks import Lacks
from ingest.operations.ports import Service
from ingest.replies.wording import wording
from ingest.web.security import network_of, token_of
from ingest.web.words import TEMPLATES, Words, words
from layouts.months import midnight, parse_month
from layouts.terms import LANGUAGES
from storage.records.access import Operator

STATIC = Path(__file__).parent / "static"
_NUMBER_MOST = 2**31 - 1
_SEE_OTHER = 303


@dataclass(frozen=True, slots=True)
class Site:
    """What all pages share.

    Attributes:
        current: The service as it is wired now; a reload swaps it.
        clock: Now, aware.
        desk: Takes files.
        lacks: What entities lack of a month.
    """

    current: Callable[[], Service]
    clock: Callable[[], datetime]
    desk: Desk
    lacks: Lacks = field(default_factory=Lacks)


@dataclass(slots=True)
class Visit:
    """One request: who asks, in which language, with which form; and how it is answered.

    Attributes:
        browser: The id in the cookie that outlives sessions.
        key: The id of the session; '' without one.
        fields: Of the form that was sent; files among them.
        is_again: The form is shown filled with what was sent, and does nothing.
    """

    site: Site
    request: Request
    now: datetime
    language: str
    browser: str
    key: str = ""
    visitor: Visitor | None = None
    operator: Operator | None = None
    fields: FormData = field(default_factory=FormData)
    is_again: bool = False

    @property
    def service(self) -> Service:
        """The service as it is wired now."""
        return self.site.current()

    @property
    def who(self) -> Visitor:
        """Who is signed in; only asked by pages that need somebody."""
        if self.visitor is None:
            raise LookupError("this page is for nobody in particular")
        return self.visitor

    @property
    def is_console(self) -> bool:
        """Whether a page of the console is asked for."""
        return is_console(self.request)

    @property
    def home(self) -> str:
        """The first page of the account, or of the console."""
        return CONSOLE if self.is_console else "/"

    @property
    def me(self) -> Operator:
        """The operator who is signed in; only asked by pages that need one."""
        if self.operator is None:
            raise LookupError("this page is for no operator in particular")
        return self.operator

    @property
    def desk(self) -> str:
        """Whose checked file is kept: of who is signed in, in this browser, in any session."""
        if self.is_console:
            return digest(f"{self.browser} {self.me.actor}")
        account = self.who.account
        return digest(f"{self.browser} {account.kind} {account.id}")

    @property
    def has_file(self) -> bool:
        """Whether a file came with the form, also with the one that a session's end interrupted."""
        files = (one for one in self.fields.values() if isinstance(one, UploadFile))
        return any(one.filename for one in files) or bool(self.text("kept_file"))

    @property
    def words(self) -> Words:
        """The texts of the visit's language."""
        return words(self.language)

    @property
    def network(self) -> str:
        """Where it comes from, as attempts are counted."""
        return network_of(self.request)

    @property
    def address(self) -> str:
        """What is asked for: path and query."""
        url = self.request.url
        return f"{url.path}?{url.query}" if url.query else url.path

    def in_language(self, language: str) -> str:
        """The address of the same page in a language."""
        asked = self.request.query_params.multi_items()
        return "?" + urlencode([*(one for one in asked if one[0] != "lang"), ("lang", language)])

    def text(self, name: str) -> str:
        """A field of the form as text; '' when it is absent or a file."""
        value = self.fields.get(name)
        return value if isinstance(value, str) else ""

    def asked(self, name: str) -> str:
        """A parameter of the address; '' when it is absent."""
        return self.request.query_params.get(name, "")

    def asked_number(self, name: str) -> int | None:
        """A number among the parameters of the address; None when it is absent.

        Raises:
            HTTPException: as `number_in`.
        """
        return number_in(self.asked(name)) if self.asked(name) else None

    def part(self, name: str) -> str:
        """A named part of the address's path."""
        return str(self.request.path_params[name])

    def number(self, name: str = "number") -> int:
        """A named part of the address's path that is a number.

        Raises:
            HTTPException: as `number_in`.
        """
        return number_in(self.part(name))

    def page(self, template: str, status: int = 200, /, **values: Any) -> Response:
        """A page made of a template."""
        shown = (
            _templates(self.language)
            .get_template(template)
            .render(
                {
                    "t": self.words,
                    "w": self.words.writing,
                    "visit": self,
                    "visitor": self.visitor,
                    "language": self.language,
                    "path": self.request.url.path,
                    "service": self.service,
                    "signature": self.service.signature.lines(wording(self.language)),
                    "csrf": token_of(self.key or self.browser),
                    "now": self.now,
                    "kept": (),
                    **values,
                }
            )
        )
        return HTMLResponse(shown, status)

    def checked_page(self, template: str, status: int, /, **values: Any) -> Response:
        """A page that answers a check: the browser's way back to it sends nothing again."""
        answer = self.page(template, status, **values)
        answer.headers["Cache-Control"] = "private, no-cache"
        return answer

    def sign_in_page(self, status: int = 200, /, *, note: str = "", keep: bool = False) -> Response:
        """The sign-in page.

        Args:
            status: Of the answer.
            note: Key of what is said above the form; '' for nothing.
            keep: Carry the form that was sent along; it comes back behind the sign-in.
        """
        kept = [field for field in texts_of(self.fields) if keep and field[0] not in _NOT_KEPT]
        return self.page(
            "sign_in.html",
            status,
            note=note,
            name="",
            next=ours(self.asked("next") if not self.fields else self.address),
            kept=[(f"{KEPT}{name}", value) for name, value in kept],
            kept_path=self.address if keep else "",
        )

    def go(self, path: str) -> Response:
        """On to another page of ours."""
        return RedirectResponse(path, _SEE_OTHER)

    def file(self, content: bytes, name: str, media_type: str) -> Response:
        """A download, never shown by the browser itself."""
        plain = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
        headers = {"Content-Disposition": f'attachment; filename="{plain[:150] or "file"}"'}
        return Response(content, media_type=media_type, headers=headers)


_SECTIONS = (
    ("/console", "needs"),
    ("/console/letters", "letters"),
    ("/console/suspects", "suspects"),
    ("/console/months", "months"),
    ("/console/entities", "entities"),
    ("/console/export", "export"),
    ("/console/audit", "audit"),
    ("/console/status", "status"),
    ("/console/operators", "operators"),
)


class _Texts(NodeTransformer):
    """Puts a language's texts where a template asks for them by name."""

    def __init__(self, said: Words) -> None:
        self._said = said

    def visit_Call(self, node: nodes.Call) -> nodes.Node:  # noqa: N802 - as Jinja calls it
        """`t("section.key")` becomes the text itself, escaped when the template is compiled."""
        self.generic_visit(node)
        name = node.node.name if isinstance(node.node, nodes.Name) else ""
        if name != "t" or node.kwargs or not isinstance(node.args[0], nodes.Const):
            return node
        return nodes.Const(self._said(node.args[0].value), lineno=node.lineno)


@cache
def _templates(language: str) -> jinja2.Environment:
    """The templates with the texts of a language: a row of a table asks for a dozen of them."""

    class Generator(CodeGenerator):
        def visit_Template(self, node: nodes.Template, frame: Frame | None = None) -> None:  # noqa: N802
            _Texts(words(language)).visit(node)
            super().visit_Template(node, frame)

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.code_generator_class = Generator
    environment.filters["until"] = lambda at, w: w.until(datetime.fromtimestamp(at, UTC))
    environment.filters["month"] = lambda day, w: w.month(midnight(day))
    environment.globals.update(
        {"static": _static, "languages": LANGUAGES, "console_sections": _SECTIONS}
    )
    return environment


@cache
def _static(name: str) -> str:
    """The address of a file of ours; another content has another address."""
    content = (STATIC / name).read_bytes()
    return f"/static/{name}?{sha256(content).hexdigest()[:12]}"


KEPT = "kept."
"""What the names of fields begin with that wait for a sign-in."""


REFILL = "refill"
"""The field with which a form comes that is to be shown again, and not acted on."""

_NOT_KEPT = frozenset({"csrf", "step", REFILL})
"""What is of the moment: the form's token, and which button was pressed."""


def texts_of(fields: FormData) -> Iterator[tuple[str, str]]:
    """The fields of a form that are no files."""
    return ((name, value) for name, value in fields.multi_items() if isinstance(value, str))


CONSOLE = "/console"


def is_console(request: Request) -> bool:
    """Whether a page of the console is asked for."""
    path = request.url.path
    return path == CONSOLE or path.startswith(f"{CONSOLE}/")


def ours(path: str) -> str:
    """A path of this site; `/` instead of an address that leads elsewhere."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\"))
    return path if plain and path.isprintable() else "/"


def fingerprint(told: object) -> str:
    """A hash of what a page told, by which its form sees that it is something else by now."""
    return sha256(repr(told).encode()).hexdigest()


def number_in(text: str) -> int:
    """A number in an address.

    Raises:
        HTTPException: 404, it is no number or too large for one.
    """
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= _NUMBER_MOST):
        raise HTTPException(404)
    return int(text)


def month_in(text: str) -> date:
    """The first day of a month in an address.

    Raises:
        HTTPException: 404, it is no month.
    """
    try:
        return parse_month(text)
    except ValueError:
        raise HTTPException(404, "no-month") from None

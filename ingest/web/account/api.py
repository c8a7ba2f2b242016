"""The HTTP API: what programs of an entity hand in and ask for."""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ingest.operations.account.receipts import Told, receipt
from ingest.operations.account.sessions import Attempt, Visitor, program, proven
from ingest.operations.account.standing import standing
from ingest.operations.billed import Grain
from ingest.operations.hand_in import File, Way
from ingest.operations.told import as_json
from ingest.web.account.documents import BadFile, content_of, plain_name
from ingest.web.account.readings import file_of
from ingest.web.site import Visit, month_in
from layouts.months import month_at

DESCRIPTION = Path(__file__).parents[1] / "openapi.json"


def authenticated(visit: Visit) -> Visitor:
    """Who asks, by a token or by name and password.

    Raises:
        HTTPException: 401, for whatever reason.
    """
    scheme, _, given = visit.request.headers.get("authorization", "").partition(" ")
    who: Visitor | None = None
    if scheme.lower() == "bearer":
        who = program(visit.service.ledger, given.strip(), visit.now)
    elif scheme.lower() == "basic":
        name, _, password = _decoded(given).partition(":")
        attempt = Attempt(name, password, visit.network)
        account = proven(visit.service, attempt, visit.now)
        who = Visitor(account) if account else None
    if who is None:
        challenge = 'Bearer realm="account", Basic realm="account", charset="UTF-8"'
        raise HTTPException(401, "unauthorized", {"WWW-Authenticate": challenge})
    return who


def _decoded(text: str) -> str:
    try:
        # PostgreSQL keeps no NUL.
        return base64.b64decode(text, validate=True).decode("utf-8").replace("\0", "")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def documents(visit: Visit) -> Response:
    """Hand in one file, or only check it."""
    file = _file(visit)
    is_dry = visit.asked("dry_run") not in {"", "0", "false"}
    done = visit.site.desk.take(file, Way.API, visit.who, visit.now, dry_run=is_dry)
    told = done.told(visit.service.policy)
    status = 200 if is_dry or done.is_known or not done.handled.receipts else 201
    numbers = [one.receipt for one in told if one.receipt is not None]
    headers = {"Location": f"/api/v1/receipts/{numbers[0]}"} if len(numbers) == 1 else {}
    if _wants_xml(visit) and len(numbers) == 1:
        return Response(_xml(visit, numbers[0]), status, headers, "application/xml")
    return _json(visit, told[0] if len(told) == 1 else told, status, headers)


def _file(visit: Visit) -> File:
    """The file in the request: its body, or the one file of a form."""
    uploads = [value for value in visit.fields.values() if isinstance(value, UploadFile)]
    if len(uploads) != 1:
        raise HTTPException(400, "no-file")
    try:
        content = content_of(visit, uploads[0])
    except BadFile as bad:
        raise HTTPException(400 if bad.note == "empty" else 413, bad.note) from None
    return File(plain_name(uploads[0].filename or visit.asked("name")) or "document", content)


def one_receipt(visit: Visit) -> Response:
    """A receipt of the entity's, as JSON or as 80021."""
    number = visit.number()
    if _wants_xml(visit):
        return Response(_xml(visit, number), media_type="application/xml")
    return _json(visit, _receipt(visit, number))


def one_month(visit: Visit) -> Response:
    """What a month asks for, and how it stands."""
    month = month_in(visit.part("month"))
    return _json(visit, standing(visit.service, visit.who.entity, month, visit.now))


def values(visit: Visit) -> Response:
    """Accepted values of a month, one JSON object a line, or as CSV."""
    month = month_in(visit.asked("period")) if visit.asked("period") else month_at(visit.now)
    is_csv = "text/csv" in visit.request.headers.get("accept", "")
    grain = visit.asked("grain") or "interval"
    if grain not in {"interval", "day", "month"}:
        raise HTTPException(400, "grain")
    return file_of(visit, month, "csv" if is_csv else "ndjson", by=Grain(grain))


def description(visit: Visit) -> Response:
    """The API in OpenAPI's form."""
    told = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    told["servers"] = [{"url": visit.service.public_url or "/"}]
    return JSONResponse(told)


def _receipt(visit: Visit, number: int) -> Told:
    told = receipt(visit.service.ledger, visit.who.entity, number, visit.language)
    if told is None:
        raise HTTPException(404, "no-receipt")
    return told


def _xml(visit: Visit, number: int) -> bytes:
    content = _receipt(visit, number).xml(visit.language)
    if content is None:
        raise HTTPException(404, "no-receipt")
    return content


def _wants_xml(visit: Visit) -> bool:
    accept = visit.request.headers.get("accept", "")
    return "xml" in accept and "html" not in accept


def _json(
    visit: Visit, told: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return JSONResponse(as_json(told, visit.language), status, headers)

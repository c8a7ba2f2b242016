"""The HTTP API: what programs of an entity hand in and ask for."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from ingest.operations.account.receipts import receipt
from ingest.operations.account.sessions import Attempt, Visitor, program, proven
from ingest.operations.account.standing import Standing, standing
from ingest.operations.billed import Grain
from ingest.operations.hand_in import File, HandedIn, Way
from ingest.operations.told import as_json, local
from ingest.web.account.readings import file_of
from ingest.web.account.receipts import number_in
from ingest.web.site import Visit
from layouts.findings import Finding
from layouts.months import month_at, parse_month

_NAME_MOST = 200
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
        return base64.b64decode(text, validate=True).decode("utf-8")
    except (binascii.Error, UnicodeDecodeError):
        return ""


def documents(visit: Visit) -> Response:
    """Hand in one file, or only check it."""
    file = _file(visit)
    is_dry = visit.asked("dry_run") not in {"", "0", "false"}
    done = visit.site.desk.take(file, Way.API, visit.who, visit.now, dry_run=is_dry)
    told = _documents(visit, file, done)
    status = 200 if is_dry or done.is_known or not done.handled.receipts else 201
    numbers = [one["receipt"] for one in told if one["receipt"] is not None]
    headers = {"Location": f"/api/v1/receipts/{numbers[0]}"} if len(numbers) == 1 else {}
    if _wants_xml(visit) and len(numbers) == 1:
        return Response(_xml(visit, numbers[0]), status, headers, "application/xml")
    return _json(told[0] if len(told) == 1 else told, status, headers)


def _file(visit: Visit) -> File:
    """The file in the request: its body, or the one file of a form."""
    uploads = [value for value in visit.fields.values() if isinstance(value, UploadFile)]
    if len(uploads) != 1:
        raise HTTPException(400, "no-file")
    upload = uploads[0]
    content = upload.file.read(visit.service.upload_bytes + 1)
    if len(content) > visit.service.upload_bytes:
        raise HTTPException(413, "too-large")
    if not content:
        raise HTTPException(400, "empty")
    return File((upload.filename or visit.asked("name") or "document")[:_NAME_MOST], content)


def _documents(visit: Visit, file: File, done: HandedIn) -> list[dict[str, Any]]:
    """Each document as `check --json` tells it, with its receipt."""
    told = []
    for result, number in done.results(visit.service.policy):
        checked = replace(result.checked, findings=_public(result.checked.findings))
        document = replace(result, checked=checked).told
        told.append(as_json(document, visit.language) | {"receipt": number})
    if done.handled.findings or not told:
        findings = as_json(_public(done.handled.findings), visit.language)
        told.append(
            {
                "file": file.name, "layout": None, "verdict": "unreadable", "sender": None,
                "sender_inn": None,
                "created": None, "series": [], "findings": findings,
                "receipt": None,
            }
        )  # fmt: skip
    return told


def _public(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Findings as their sender may see them: another entity's point is an unknown one."""
    return tuple(replace(item, code=item.public_code) for item in findings)


def one_receipt(visit: Visit) -> Response:
    """A receipt of the entity's, as JSON or as 80021."""
    number = number_in(visit.request.path_params["number"])
    told = receipt(visit.service.ledger, visit.who.entity, number, visit.language)
    if told is None:
        raise HTTPException(404, "no-receipt")
    if _wants_xml(visit):
        return Response(_xml(visit, number), media_type="application/xml")
    submission = told.submission
    return _json(
        {
            "receipt": number,
            "first": submission.receipt,
            "received_at": local(told.letter.summary.received_at),
            "file": submission.name,
            "sha256": submission.sha256,
            "layout": submission.layout,
            "verdict": submission.verdict,
            "status": submission.status,
            "values": submission.values,
            "findings": as_json(_public(submission.findings), visit.language),
            "carried": [
                {
                    "area": one.area, "point": one.point, "meter": one.meter,
                    "channel": one.channel, "zone": one.zone, "kind": one.kind.value,
                    "start": local(one.start), "end": local(one.end),
                    "value": None if one.value is None else f"{one.value:f}",
                    "in_force": one.in_force,
                    "replaced_by": [number for number, _ in one.replaced_since],
                }
                for one in told.carried
            ],
        }
    )  # fmt: skip


def one_month(visit: Visit) -> Response:
    """What a month asks for, and how it stands."""
    month = _month_of(visit.request.path_params["month"])
    return _json(_standing_json(standing(visit.service, visit.who.entity, month, visit.now)))


def _standing_json(told: Standing) -> dict[str, Any]:
    return {
        "month": f"{told.month:%Y-%m}",
        "deadline": local(told.deadline),
        "closed": told.is_closed,
        "asked": [
            {
                "area": one.point.area, "point": one.point.code,
                "meter": one.meter.number if one.meter else None,
                "channel": one.channel, "zones": list(one.zones), "kind": one.kind.value,
                "state": one.stand.value,
                "days": [day.value for day in one.days],
                "receipt": one.receipt,
            }
            for one in told.asked
        ],
    }  # fmt: skip


def values(visit: Visit) -> Response:
    """Accepted values of a month, one JSON object a line, or as CSV."""
    month = _month_of(visit.asked("period")) if visit.asked("period") else month_at(visit.now)
    is_csv = "text/csv" in visit.request.headers.get("accept", "")
    grain = visit.asked("grain") or "interval"
    if grain not in {"interval", "day", "month"}:
        raise HTTPException(400, "grain")
    return file_of(visit, month, "csv" if is_csv else "ndjson", by=Grain(grain))


def description(visit: Visit) -> Response:
    """The API in OpenAPI's form."""
    told = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
    told["servers"] = [{"url": visit.service.public_url or "/"}]
    return _json(told)


def _xml(visit: Visit, number: int) -> bytes:
    told = receipt(visit.service.ledger, visit.who.entity, number, visit.language)
    content = told.xml(visit.language) if told is not None else None
    if content is None:
        raise HTTPException(404, "no-receipt")
    return content


def _wants_xml(visit: Visit) -> bool:
    accept = visit.request.headers.get("accept", "")
    return "xml" in accept and "html" not in accept


def _month_of(text: str) -> Any:
    try:
        return parse_month(text)
    except ValueError:
        raise HTTPException(404, "no-month") from None


def _json(told: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse(told, status, headers)

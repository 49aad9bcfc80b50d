"""The HTTP door put together."""

from __future__ import annotations

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from adapters.http.attachments import serve_attachment
from adapters.http.door import Door
from adapters.http.events import take_events
from adapters.http.gate import Gate
from adapters.http.guard import Guard, door_of
from adapters.http.health import Readiness
from adapters.http.mail import take_mail
from adapters.http.metrics import MEDIA_TYPE
from adapters.http.openapi import document
from adapters.http.page import POLICY, render
from adapters.http.problems import KINDS, Problem, answered
from adapters.http.webhooks import take_webhook
from aftersales.ports import Unavailable

_NOT_WHO_THEY_SAY = frozenset({"signature-missing", "signature-stale", "signature-wrong", "credentials-wrong"})


def build_app(door: Door) -> FastAPI:
    """The app of the HTTP door. It keeps nothing outside of itself, so that there can be several in one process."""
    app = FastAPI(docs_url=None, redoc_url=None, redirect_slashes=False)
    gate = Gate(door)
    app.add_middleware(Guard, metrics=gate.metrics, access_log=door.settings.access_log)
    _add_doors(app, gate)
    _add_views(app, gate)
    _add_problems(app, gate)
    return app


def _add_doors(app: FastAPI, gate: Gate) -> None:
    async def events(request: Request) -> Response:
        return await take_events(gate, request)

    # The one that is called most: FastAPI would look for dependencies with each call.
    app.add_route("/events", events, methods=["POST"])

    @app.post("/platforms/{platform}/{shop}")
    async def platforms(request: Request, platform: str, shop: str) -> Response:
        return await take_webhook(gate, request, platform, shop)

    @app.post("/mail/{shop}")
    async def mail(request: Request, shop: str) -> Response:
        return await take_mail(gate, request, shop)

    @app.get("/attachments/{token}/{name}")
    async def attachments(token: str, name: str) -> Response:
        return await serve_attachment(gate, token, name)


def _add_views(app: FastAPI, gate: Gate) -> None:
    readiness = Readiness(gate.door.checks, gate.door.settings.check_seconds)
    contract = document()
    page = render(contract)
    app.openapi = lambda: contract  # type: ignore[method-assign] # FastAPI's way to give another document

    @app.get("/healthz")
    async def healthz() -> Response:
        return answered(200, '{"alive": true}', "application/json")

    @app.get("/readyz")
    async def readyz() -> Response:
        status, body = await readiness.answer()
        return answered(status, body, "application/json")

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(gate.metrics.text(), media_type=MEDIA_TYPE)

    @app.get("/docs")
    async def docs() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": POLICY})


def _add_problems(app: FastAPI, gate: Gate) -> None:
    @app.exception_handler(Problem)
    async def refuse(request: Request, problem: Problem) -> Response:
        door = door_of(request.scope)
        if problem.kind == "rate":
            gate.metrics.rate_limited.labels(door).inc()
        if problem.kind in _NOT_WHO_THEY_SAY:
            gate.metrics.bad_signatures.labels(door).inc()
        return problem.response()

    @app.exception_handler(Unavailable)
    async def away(request: Request, away: Unavailable) -> Response:
        # What is away is our business: it stands in the log and not in the answer.
        gate.turned_away(away)
        wait = {"Retry-After": str(gate.door.settings.retry_after)}
        return Problem("unavailable", "events cannot be taken at the moment", headers=wait).response()

    @app.exception_handler(HTTPException)
    async def elsewhere(request: Request, error: HTTPException) -> Response:
        kind = next((name for name, kind in KINDS.items() if kind.status == error.status_code), "not-found")
        return Problem(kind, str(error.detail), headers=error.headers).response()

"""The routes of the server; what they do is in flow.py."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import Depends, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException

from twelvelead.classifier.bundle import Classifier
from twelvelead.doors.page_assembly import SOURCE
from twelvelead.doors.server import schema
from twelvelead.doors.server.batching import answer_jobs
from twelvelead.doors.server.flow import Running, answered
from twelvelead.doors.server.gate import App, gated
from twelvelead.doors.server.problems import Problem, problem_response
from twelvelead.doors.server.reference import reference_page
from twelvelead.doors.server.renderings import RENDERINGS
from twelvelead.doors.server.settings import Settings
from twelvelead.doors.server.workers import run_in_worker, start_workers, stop_workers
from twelvelead.record import RecordError
from twelvelead.release import version
from twelvelead.reports import read_by

MEDIA_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}


def server_app(settings: Settings, classifier: Classifier, started: Callable[[], None] = lambda: None) -> App:
    """The whole application; `started` is called once workers and network can take requests."""
    app = FastAPI(
        title="twelvelead",
        version=version(),
        description="Which of nine diagnoses 12-lead ECGs show. Research software, no medical device.",
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan(settings, classifier, started),
        redirect_slashes=False,
    )
    app.exception_handler(Problem)(_tell)
    app.exception_handler(HTTPException)(_tell_http)
    app.exception_handler(Exception)(_tell_defect)
    _add_pages(app)
    _add_api(app, needs_token=settings.token is not None)
    return gated(app, settings)


def _lifespan(
    settings: Settings, classifier: Classifier, started: Callable[[], None]
) -> Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        workers = await start_workers(settings.workers)
        running = Running(settings=settings, classifier=classifier, workers=workers)
        app.state.running = running
        network = asyncio.create_task(answer_jobs(running.jobs, classifier))
        started()
        try:
            with contextlib.suppress(asyncio.CancelledError):  # a second Ctrl-C is no defect to be logged
                yield
        finally:
            network.cancel()
            await stop_workers(workers)

    return lifespan


def _add_pages(app: FastAPI) -> None:
    files = {
        path.name: (path.read_bytes(), MEDIA_TYPES[path.suffix]) for path in sorted(SOURCE.iterdir()) if path.is_file()
    }

    @app.get("/", include_in_schema=False)
    async def page() -> Response:
        return _file(files, "index.html")

    @app.get("/favicon.ico", include_in_schema=False)
    async def icon() -> Response:
        return Response(status_code=204)  # browsers ask for one unasked

    @app.get("/page/{name:path}", include_in_schema=False)
    async def part(name: str) -> Response:
        return _file(files, name)

    @app.get("/docs", include_in_schema=False)
    async def reference() -> Response:
        return HTMLResponse(reference_page(app.openapi()))


def _file(files: dict[str, tuple[bytes, str]], name: str) -> Response:
    if name not in files:
        raise Problem(404, "there is no such page: see /docs")
    content, media_type = files[name]
    return Response(content, media_type=media_type)


def _add_api(app: FastAPI, *, needs_token: bool) -> None:
    token = [Depends(HTTPBearer(auto_error=False))] if needs_token else []  # for the schema: the gate has checked it
    classified, reported = schema.answered(needs_token=needs_token), schema.reported(needs_token=needs_token)
    told = schema.told(needs_token=needs_token)

    @app.post("/api/classify", responses=classified, openapi_extra=schema.UPLOAD, dependencies=token)
    async def classify(request: Request) -> Response:
        """Say which of nine diagnoses each recording of an upload shows."""
        _refuse_unknown_parameters(request)
        async with answered(request, _running(request)) as answer:
            return JSONResponse(
                [
                    {"path": reading.path, "error": reading.error}
                    if said is None
                    else {"path": reading.path, **said.as_json()}
                    for reading, said in answer.reports
                ]
            )

    @app.post(
        "/api/report",
        responses=reported,
        openapi_extra=schema.UPLOAD | schema.FORMAT_PARAMETER,
        dependencies=token,
    )
    async def report(request: Request) -> Response:
        """Draw or write the report of one recording."""
        return await _rendered(request, _running(request))

    @app.get("/api/bundle", responses=told, dependencies=token)
    async def bundle(request: Request) -> dict[str, Any]:
        """The card of the network that answers: how it was trained, how often it is right, from where on it decides."""
        return _running(request).classifier.in_use

    @app.get("/health", responses=schema.CHECKED)
    async def health(request: Request) -> dict[str, Any]:
        """Whether the server answers, with which network, and how many uploads are under way."""
        running = _running(request)
        return {"status": "ok", "bundle": running.classifier.name, "under_way": running.n_under_way}


async def _rendered(request: Request, running: Running) -> Response:
    _refuse_unknown_parameters(request, "format")
    wanted = request.query_params.get("format", "svg")
    if wanted not in RENDERINGS:
        raise Problem(422, f"format {wanted[:40]!r}: there are {', '.join(RENDERINGS)}")
    media_type, render, headers = RENDERINGS[wanted]
    by = read_by(running.classifier)
    async with answered(request, running, with_records=True) as answer:
        ((reading, said),) = answer.reports
        assert said is not None
        assert reading.record is not None
        try:
            document = await run_in_worker(running.workers, answer.deadline, render, reading.record, said, by)
        except RecordError as error:
            raise Problem(422, str(error)) from None
    return Response(document, media_type=media_type, headers=headers)


def _refuse_unknown_parameters(request: Request, *allowed: str) -> None:
    """Raise Problem on a parameter that would change nothing: whoever wrote it expects another answer."""
    if unknown := [name for name in request.query_params if name not in allowed]:
        there = f"there is {', '.join(allowed)}" if allowed else "there is none here"
        raise Problem(422, f"parameter {unknown[0][:40]!r}: {there}; see /docs")


def _running(request: Request) -> Running:
    running: Running = request.app.state.running
    return running


async def _tell(request: Request, problem: Exception) -> Response:
    del request
    assert isinstance(problem, Problem)
    return problem_response(problem)


async def _tell_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    said = f"{request.method} here" if error.status_code == 405 else "this address"
    detail = f"{error.detail}: {said} is nothing that the server knows; see /docs"
    return problem_response(Problem(error.status_code, detail, headers=error.headers))


async def _tell_defect(request: Request, error: Exception) -> Response:
    del request, error
    return problem_response(Problem(500, "a defect of the server: what was uploaded is not kept; please report it"))

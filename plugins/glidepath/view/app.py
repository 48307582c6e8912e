"""The API of releases, version 1, and the pages that are drawn from it. `openapi.json` beside it describes it."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from airflow.api_fastapi.common.db.common import SessionDep
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, FastAPI, Header, Query, Request, Response
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from glidepath.errors import AskedError, NoReleaseError, RecordError
from glidepath.record import Record
from glidepath.release.asking import LONGEST_WHY, SHORTEST_WHY, ask
from glidepath.release.journal import Journal
from glidepath.release.questions import APPROVE, open_question
from glidepath.status import Row, Status, listed, mark, status
from glidepath.status.links import grafana
from glidepath.version import code_version
from glidepath.view.access import MAY_ASK, MAY_READ, may_ask, readable
from glidepath.view.runs import AirflowRun, answered, run_of

STATIC = Path(__file__).parent / "static"
ROWS = 500
MEDIA = {"html": "text/html", "markdown": "text/markdown", "json": "application/json"}


@dataclass(frozen=True)
class Answer:
    """How a release stands, and what Airflow knows of it.

    Attributes:
        may_ask: Whether the user may ask something of it.
        grafana: Its dashboard; empty where nobody said where Grafana is.
    """

    run: AirflowRun
    may_ask: bool
    grafana: str
    status: Status


@dataclass(frozen=True)
class Answers:
    """Releases, the newest first."""

    releases: list[Row]


class Word(BaseModel):
    """What a person asks of a release, and why: that is recorded with their name.

    Attributes:
        what: One of the release's `actions`: `take-back`, `commit`, `hold`, `resume`, `approve`, `reject`.
    """

    model_config = ConfigDict(extra="forbid")
    what: Literal["approve", "reject", "hold", "resume", "take-back", "commit"]
    why: str = Field(min_length=SHORTEST_WHY, max_length=LONGEST_WHY)


class Said(Word):
    """A word that is recorded, and whose it is.

    Attributes:
        who: The user, as Airflow calls them.
    """

    who: str


class Files(StaticFiles):
    """Files that a browser asks about before it shows those it has: they change with Glidepath's version."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As it says."""
        answer = super().file_response(*args, **kwargs)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


_answer, _answers = TypeAdapter(Answer), TypeAdapter(Answers)
api = APIRouter(prefix="/api/v1")


def _json(content: bytes, **headers: str) -> Response:
    return Response(content, media_type="application/json", headers={"Cache-Control": "private, no-cache", **headers})


@api.get("/releases", responses={200: {"model": Answers}})
def releases(
    user: GetUserDep,
    limit: Annotated[int, Query(ge=1, le=ROWS)] = 50,
    service: str | None = None,
    under_way: Annotated[bool, Query(description="Only releases that are not over.")] = False,
) -> Response:
    """The newest releases of the DAGs that the user may read."""
    may = readable(user)
    return _json(_answers.dump_json(Answers(listed(Record(), limit, service, may.__contains__, under_way))))


@api.get("/releases/{dag_id}/{run_id}", dependencies=[MAY_READ], responses={200: {"model": Answer}, 304: {}, 404: {}})
def release(
    dag_id: str,
    run_id: str,
    user: GetUserDep,
    session: SessionDep,
    after: Annotated[int, Query(ge=0, description="Only looks after this number are in `series`.")] = 0,
    if_none_match: Annotated[str | None, Header()] = None,
) -> Response:
    """How one release stands. With `If-None-Match` it is 304 while nothing is new."""
    record, identity = Record(), f"{dag_id}/{run_id}"
    run, seen = run_of(session, dag_id, run_id), mark(record, identity)
    tag = f'"{seen}-{run.state}-{run.paused}"'
    if seen is not None and if_none_match in (tag, f"W/{tag}"):
        return Response(status_code=304, headers={"ETag": tag})
    release_status = status(record, identity, time.time(), after)
    return _json(
        _answer.dump_json(Answer(run, may_ask(user, dag_id), grafana(release_status), release_status)), ETag=tag
    )


@api.get("/releases/{dag_id}/{run_id}/evidence", dependencies=[MAY_READ])
def evidence(dag_id: str, run_id: str) -> Response:
    """The release's recorded evidence as JSON Lines, as `glidepath export` writes it."""
    from glidepath.replay.evidence import write_evidence
    from glidepath.replay.recorded import export

    text = io.StringIO()
    write_evidence(export(Record(), f"{dag_id}/{run_id}"), text)
    named = {"Content-Disposition": 'attachment; filename="evidence.jsonl"'}
    return Response(text.getvalue(), media_type="application/x-ndjson", headers=named)


@api.get("/releases/{dag_id}/{run_id}/report", dependencies=[MAY_READ])
def report(dag_id: str, run_id: str, form: Literal["html", "markdown", "json"] = "html") -> Response:
    """The release's report as `glidepath report` writes it: one HTML file that loads nothing, or another form."""
    from glidepath.reporting import FORMS, document

    text = FORMS[form](document(Record(), f"{dag_id}/{run_id}", time.time()))
    return Response(text, media_type=MEDIA[form], headers={"Cache-Control": "private, no-cache"})


@api.post("/releases/{dag_id}/{run_id}/words", dependencies=[MAY_ASK], status_code=202, responses={409: {}})
def words(dag_id: str, run_id: str, word: Word, user: GetUserDep, session: SessionDep) -> Said:
    """Ask something of a release under way. The guard follows in its next round, half a scrape later at most.

    `approve` and `reject` answer the release's `question`: answer its task in Airflow first (its `hitlDetails`), then say
    here why. 409 says what can be asked.
    """
    record, identity = Record(), f"{dag_id}/{run_id}"
    question = open_question(record.get(identity).phase, list(Journal(record, identity).entries()))
    if word.what == APPROVE and question and question.yes not in answered(session, dag_id, run_id, question.task):
        raise AskedError(
            f"approve was asked of release {identity}, whose question nobody has answered with {question.yes!r}: answer the "
            f"task {question.task!r} in Airflow first (its hitlDetails), then say here why"
        )
    asked = ask(record, identity, word.what, user.get_name(), word.why, time.time())
    return Said(what=word.what, why=asked.why, who=asked.who)


def page(_user: GetUserDep) -> FileResponse:
    """The pages on their own, without Airflow's frame around them."""
    return FileResponse(STATIC / "index.html", headers={"Cache-Control": "no-cache"})


def _no_release(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 404)


def _not_now(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(error)}, 409)


def _no_record(_: Request, error: Exception) -> JSONResponse:
    return JSONResponse({"detail": f"the record can't be read: {error}"}, 503)


def made() -> FastAPI:
    """The application: Airflow's error of a refused user is kept as it is."""
    # The pages of FastAPI's own documentation would load scripts from elsewhere.
    application = FastAPI(
        title="Glidepath releases", version="1", summary=f"Glidepath {code_version()}", docs_url=None, redoc_url=None
    )
    application.include_router(api)
    for path in ("/", "/releases/{dag_id}/{run_id}"):
        application.add_api_route(path, page, include_in_schema=False)
    application.add_exception_handler(NoReleaseError, _no_release)
    application.add_exception_handler(AskedError, _not_now)
    application.add_exception_handler(RecordError, _no_record)
    application.mount("/static", Files(directory=STATIC), name="static")
    return application


app = made()

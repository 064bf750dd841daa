"""A small chat app on FastAPI, which docs/start/first_app.md explains.

    uvicorn examples.fastapi_app:app --port 8080

Browsers speak with this app alone, so InTurn's API key stays on the server.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import httpx2
from fastapi import Cookie, Depends, FastAPI, Header, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from pydantic import BaseModel

import inturn

PAGE = Path(__file__).with_suffix(".html").read_text(encoding="utf-8")
# InTurn sends something at least every 15 seconds, so a longer silence is a broken connection.
TIMEOUT = httpx2.Timeout(30, connect=5)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with inturn.AsyncClient() as client:  # INTURN_URL and INTURN_API_KEY
        service = client.connection
        async with httpx2.AsyncClient(base_url=service.base_url, headers=service.headers, timeout=TIMEOUT) as http:
            app.state.inturn, app.state.http = client, http
            yield


app = FastAPI(lifespan=lifespan)


def get_client(request: Request) -> inturn.AsyncClient:
    client: inturn.AsyncClient = request.app.state.inturn
    return client


def get_user(user: Annotated[str | None, Cookie()] = None) -> str:
    """Return the id of the user. Replace this with the login of your app."""
    if not user:
        raise HTTPException(401)
    return user


InTurn = Annotated[inturn.AsyncClient, Depends(get_client)]
User = Annotated[str, Depends(get_user)]


async def get_turn(turn_id: str, client: InTurn, user: User) -> inturn.AsyncTurn:
    """Return a turn of this user. The turn of another user does not exist for this one."""
    turn = await client.turns.get(turn_id)
    if turn.user_id != user:
        raise HTTPException(404)
    return turn


OwnTurn = Annotated[inturn.AsyncTurn, Depends(get_turn)]


class NewMessage(BaseModel):
    id: str  # chosen by the browser, so that a repeated request creates no second turn
    session_id: str
    text: str


@app.get("/")
async def show_page(user: Annotated[str | None, Cookie()] = None) -> HTMLResponse:
    response = HTMLResponse(PAGE)
    if not user:
        response.set_cookie("user", str(uuid4()), httponly=True, samesite="strict")
    return response


@app.post("/turns")
async def submit(message: NewMessage, client: InTurn, user: User) -> dict[str, str]:
    turn = await client.turns.create(
        message.session_id, message.text, user_id=user, idempotency_key=f"{user}:{message.id}"
    )
    return {"id": turn.id}


@app.get("/turns/{turn_id}/events")
async def stream(turn: OwnTurn, request: Request, last_event_id: Annotated[str | None, Header()] = None) -> Response:
    """Pass InTurn's events on. After a broken connection the browser continues by `Last-Event-ID`."""
    http: httpx2.AsyncClient = request.app.state.http
    headers = {"Last-Event-ID": last_event_id} if last_event_id else {}
    upstream = await http.send(http.build_request("GET", f"/v1/turns/{turn.id}/events", headers=headers), stream=True)
    if upstream.status_code != 200:
        await upstream.aclose()
        return Response(status_code=upstream.status_code)
    return StreamingResponse(relay(upstream), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def relay(upstream: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in upstream.aiter_raw():
            yield piece
    except httpx2.TransportError:
        return  # the browser reconnects
    finally:
        await upstream.aclose()


@app.post("/turns/{turn_id}/cancel")
async def cancel(turn: OwnTurn) -> dict[str, str]:
    return {"status": (await turn.cancel()).status}


@app.get("/sessions")
async def list_sessions(client: InTurn, user: User) -> list[str]:
    return [session.session_id async for session in client.sessions.list(user_id=user)]


@app.get("/sessions/{session_id}")
async def show_session(session_id: str, client: InTurn, user: User) -> list[dict[str, Any]]:
    messages = client.sessions.messages(session_id, user_id=user)
    return [
        {"role": message.role, "content": message.content, "turn_id": message.turn_id} async for message in messages
    ]


@app.delete("/sessions", status_code=204)
async def erase_all(client: InTurn, user: User) -> None:
    """Erase everything that this user has written, and the answers."""
    await client.users.delete(user)


@app.exception_handler(inturn.InTurnError)
async def refuse(_: Request, error: inturn.InTurnError) -> JSONResponse:
    """Answer with InTurn's own status and sentence; 503 if InTurn was not reached."""
    retry_after = {"Retry-After": str(round(error.retry_after_seconds))} if error.retry_after_seconds else {}
    return JSONResponse({"detail": str(error)}, error.status or 503, headers=retry_after)

"""The asyncio client. `tests/unit/inturn/test_client_parity.py` compares its methods with those of `Client`."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

import inturn
from inturn import AsyncClient, Delta, Done
from inturn.transport.connection import DEFAULT_RETRIES
from tests.acceptance.inturn.stream_cutting_proxy import stream_cutting_proxy
from tests.support.processes import Stack

SLOWLY = "[words 60] [pace 0.03]"


def run(
    url: str, program: Callable[[AsyncClient], Coroutine[Any, Any, None]], *, max_retries: int = DEFAULT_RETRIES
) -> None:
    async def main() -> None:
        async with AsyncClient(url, max_retries=max_retries) as client:
            await program(client)

    asyncio.run(main())


def test_many_turns_are_awaited_concurrently(stack: Stack) -> None:
    async def program(client: AsyncClient) -> None:
        async def answer(n: int) -> str:
            turn = await client.turns.create(f"at-once-{n}", f"{n} [delay 0.3]")
            return (await turn.wait(60)).check().text

        texts = await asyncio.gather(*(answer(n) for n in range(50)))
        assert [text.split()[2] for text in texts] == [f"{n}" for n in range(50)]

    run(stack.url, program)


def test_a_session_is_streamed(stack: Stack) -> None:
    async def program(client: AsyncClient) -> None:
        turn = await client.turns.create("session", "hello [gate session]")
        events = client.sessions.stream("session", until_idle=True)
        snapshot = (await anext(events)).event
        assert isinstance(snapshot, inturn.Snapshot)
        assert [live.id for live in snapshot.turns] == [turn.id]
        stack.open_gate("session")
        assert [sent.event.turn.id async for sent in events if isinstance(sent.event, Done)] == [turn.id]

    run(stack.url, program)


def test_a_stream_continues_across_a_restart(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)

    async def program(client: AsyncClient) -> None:
        text, turn, restarted = "", None, False
        async for event in (await client.turns.create("s", f"hello {SLOWLY}")).stream():
            match event:
                case Delta(piece):
                    text += piece
                case Done(ended):
                    turn = ended
            if text and not restarted:
                stack.web.kill()
                stack.web = stack.start_web()
                restarted = True
        assert turn
        assert text == turn.text

    run(stack.url, program)


def test_a_long_poll_follows_repeatedly_broken_streams(stack: Stack) -> None:
    async def program(client: AsyncClient) -> None:
        turn = await client.turns.create("short", "hello [gate short]")
        events = turn.stream()
        await anext(events)
        stack.open_gate("short")
        rest = [event async for event in events]
        ended = await turn.wait()
        assert rest == [Delta(ended.text), Done(ended)]

    with stream_cutting_proxy(stack.url) as url:
        run(url, program, max_retries=0)


def test_the_other_methods_work_like_those_of_the_client(stack: Stack) -> None:
    async def program(client: AsyncClient) -> None:
        failed = await (await client.turns.create("a", "hello [fail 400 1]")).wait()
        assert (await (await failed.retry()).wait()).status == "completed"
        assert (await (await client.turns.create("a", "hello [gate never]")).cancel()).status == "cancelled"
        assert len([turn async for turn in client.turns.list(session_id="a")]) == 3
        one, wrong = await client.turns.batch([{"session_id": "a", "input": text} for text in ("x", "")])
        assert isinstance(one, inturn.AsyncTurn)
        assert isinstance(wrong, inturn.InvalidRequest)
        await one.wait()
        assert len([message async for message in client.sessions.messages("a")]) == 4
        assert "a" in [session.session_id async for session in client.sessions.list()]
        assert (await client.sessions.get("a")).status == "idle"
        await client.sessions.delete("a")
        with pytest.raises(inturn.TurnNotFound):
            await client.turns.get(one.id)
        assert (await client.readiness()).status == "ok"
        assert [assistant.name for assistant in await client.assistants.list()] == ["default", "example"]

    run(stack.url, program)

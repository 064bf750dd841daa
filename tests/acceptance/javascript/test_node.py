"""The JavaScript client in Node."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.acceptance.inturn.stream_cutting_proxy import stream_cutting_proxy
from tests.acceptance.javascript.node import run_script, start_script
from tests.support.processes import Stack

SLOWLY = "[words 60] [pace 0.03]"


def client(url: str, options: str = "{}") -> str:
    return f"const inturn = new InTurn({json.dumps(url)}, {options});\n"


def text_of(events: Iterable[dict[str, Any]]) -> str:
    """Return the text to which the events add up."""
    text = ""
    for event in events:
        text = "" if event["type"] == "reset" else text + event.get("text", "")
    return text


def test_a_conversation(stack: Stack) -> None:
    first, second, messages, unanswered, session, erased = run_script(
        client(stack.url)
        + """
        const ask = (input) => inturn.ask({ session_id: "js", input, metadata: { page: "home" } });
        print(await ask("one"));
        print(await ask("two"));
        const messages = [];
        for await (const message of inturn.messages("js")) messages.push(message);
        print(messages);
        const failed = await ask("three [fail 400]");
        print([failed.status, (await inturn.unanswered("js")).map(({ content, after }) => [content, after])]);
        print(await inturn.session("js"));
        await inturn.erase("js");
        await inturn.session("js").catch((error) => print([error.name, error.code, error.status]));
        """
    )
    assert (first["status"], second["sequence"], first["metadata"]) == ("completed", 2, {"page": "home"})
    assert [message["content"] for message in messages][::2] == ["one", "two"]
    assert messages[-1]["content"] == second["output"]["content"]
    assert unanswered == ["failed", [["three [fail 400]", 4]]]
    assert (session["status"], session["message_count"]) == ("idle", 4)
    assert erased == ["InTurnError", "session_not_found", 404]


def test_the_text_of_a_stream_is_the_answer(stack: Stack) -> None:
    *events, done = run_script(
        client(stack.url)
        + f"""
        const input = "a\\u2028b\\rc\\u{{1f600}} data: x {SLOWLY}";
        const {{ id }} = await inturn.submit({{ session_id: "s", input }});
        for await (const event of inturn.stream(id)) print(event);
        """
    )
    assert events[0]["type"] == "status"
    assert sum(event["type"] == "delta" for event in events) > 5
    assert text_of(events) == done["turn"]["output"]["content"]
    assert "a\u2028b\rc😀 data: x" in text_of(events)


def test_a_stream_survives_web_process_and_worker(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    turn_id = stack.submit("s", "hello [hold middle]")
    code = client(stack.url) + f"for await (const event of inturn.stream('{turn_id}')) print(event);"
    with start_script(code) as script:
        events = [next(event for event in script if event["type"] == "delta")]
        stack.web.kill()
        stack.web = stack.start_web()
        stack.worker_of(turn_id).kill()
        stack.replace_dead()
        stack.open_gate("middle")
        events += script
    assert [event["type"] for event in events].count("reset") == 1
    assert text_of(events) == events[-1]["turn"]["output"]["content"]


def test_a_stream_continues_after_an_event(stack: Stack) -> None:
    turn_id = stack.submit("s", f"hello {SLOWLY}")
    begin = run_script(
        client(stack.url)
        + f"""
        let seen = 0;
        for await (const event of inturn.stream("{turn_id}")) {{
          print(event);
          if (event.type === "delta" && ++seen === 3) break;
        }}
        """
    )
    rest = run_script(
        client(stack.url)
        + f"for await (const event of inturn.stream('{turn_id}', {{ after: '{begin[-1]['id']}' }})) print(event);"
    )
    assert text_of([*begin, *rest]) == rest[-1]["turn"]["output"]["content"]
    assert not {event["id"] for event in begin if "id" in event} & {event["id"] for event in rest if "id" in event}


def test_the_answer_comes_through_a_proxy_that_cuts_streams(stack: Stack) -> None:
    turn_id = stack.submit("cut", "hello [gate cut]")
    with (
        stream_cutting_proxy(stack.url) as url,
        start_script(client(url) + f"for await (const event of inturn.stream('{turn_id}')) print(event);") as script,
    ):
        assert script.read()["type"] == "status"
        stack.open_gate("cut")
        events = list(script)
    assert text_of(events) == events[-1]["turn"]["output"]["content"]


def test_a_call_ends_when_its_signal_is_aborted(stack: Stack) -> None:
    turn_id = stack.submit("abort", "hello [gate abort]")
    printed = run_script(
        client(stack.url)
        + f"""
        const abort = new AbortController();
        const {{ signal }} = abort;
        const calls = [
          inturn.wait("{turn_id}", {{ signal }}),
          (async () => {{ for await (const event of inturn.stream("{turn_id}", {{ signal }})) print(event.type); }})(),
        ];
        setTimeout(() => abort.abort(new Error("enough")), 300);
        for (const end of await Promise.allSettled(calls)) print(end.reason.message);
        await inturn.wait("{turn_id}", {{ timeoutSeconds: 0 }}).catch((error) => print([error.code, error.turn.id]));
        print((await inturn.cancel("{turn_id}")).status);
        """
    )
    assert printed == ["status", "enough", "enough", ["still_running", turn_id], "cancelled"]


def test_errors_name_field_and_rule(stack: Stack) -> None:
    [[code, status, errors], unreachable] = run_script(
        client(stack.url)
        + """
        await inturn.submit({ session_id: "a b", input: "x" })
          .catch((error) => print([error.code, error.status, error.errors]));
        await new InTurn("http://127.0.0.1:1", { maxRetries: 0 }).get("turn_0").catch((error) => print(error.code));
        """
    )
    assert (code, status, errors[0]["field"], unreachable) == ("invalid_request", 400, "session_id", "unreachable")


def test_an_expired_token_is_replaced(start: Callable[..., Stack]) -> None:
    stack = start(workers=1)
    key = stack.create_api_key("acme")
    tokens = f"""
        const backend = new InTurn("{stack.url}", {{ token: "{key}" }});
        let count = 0;
        const token = async () => {{
          count += 1;
          if (count === 1) return "inturn_token_0123456789ab.expired";
          return (await backend.createToken({{ user_id: "ada" }})).token;
        }};
    """
    turn, count, refused = run_script(
        tokens
        + client(stack.url, "{ token }")
        + """
        print(await inturn.ask({ session_id: "s", input: "hello" }));
        print(count);
        await new InTurn(inturn.baseUrl, { token: "wrong" }).session("s").catch((error) => print(error.code));
        """
    )
    assert (turn["status"], turn["user_id"], count, refused) == ("completed", "ada", 2, "unauthenticated")


def test_a_file_is_uploaded_asked_about_and_read(start: Callable[..., Stack], tmp_path: Path) -> None:
    (tmp_path / "assistants.toml").write_text("[assistants.default]\naccepts = ['text', 'file']\n")
    stack = start(INTURN_ASSISTANTS=str(tmp_path / "assistants.toml"), INTURN_FILES=f"file:{tmp_path}/files")
    stored, turn, content, in_use, gone, refused = run_script(
        client(stack.url)
        + """
        const file = await inturn.upload(new Blob(["hello"]), { name: 'a/"b.txt' });
        print(file);
        print(await inturn.ask({ session_id: "s", input: [file.part] }));
        const blob = await inturn.download(file.id);
        print([blob.type, await blob.text()]);
        await inturn.deleteFile(file.id).catch((error) => print(error.code));
        const { id } = await inturn.upload(new Uint8Array([104, 105]));
        await inturn.deleteFile(id);
        await inturn.download(id).catch((error) => print(error.code));
        await inturn.upload("hello", { mediaType: "image/png" }).catch((error) => print(error.code));
        """
    )
    assert (stored["name"], stored["part"]) == ("a__b.txt", {"type": "file", "file_id": stored["id"]})
    assert (turn["status"], turn["input"]) == ("completed", "[file: a__b.txt]")
    assert content == ["text/plain;charset=utf-8", "hello"]
    assert (in_use, gone, refused) == ("file_in_use", "file_not_found", "file_type_refused")


def test_the_stream_of_a_session_has_the_turns_of_others(stack: Stack) -> None:
    first = stack.submit("shared", "one [gate shared]")
    code = (
        client(stack.url)
        + """
        for await (const event of inturn.streamSession("shared", { untilIdle: true })) print(event);
    """
    )
    with start_script(code) as script:
        snapshot = script.read()
        second = stack.submit("shared", "two")
        events = [next(event for event in script if event["type"] == "accepted")]
        stack.open_gate("shared")
        events += script
    assert (snapshot["type"], [turn["id"] for turn in snapshot["turns"]]) == ("snapshot", [first])
    assert [event["turn_id"] for event in events if event["type"] == "done"] == [first, second]
    for turn_id in (first, second):
        deltas = [event for event in events if event["type"] == "delta" and event["turn_id"] == turn_id]
        assert text_of(deltas) == stack.turn(turn_id)["output"]["content"]

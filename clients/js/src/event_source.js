// The format of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), read from bytes.

const SILENCE_MS = 45_000; // the service sends a comment every 15 seconds

/**
 * Yield the events of a response: `{ name, data, id }`, with the id of the latest event that had one.
 *
 * Ends when the connection ends, breaks or stays silent; the reader then opens another one. Throws the reason of an
 * aborted signal.
 */
export async function* readEvents(body, signal) {
  const reader = body.getReader();
  const cancel = () => reader.cancel().catch(() => {});
  signal?.addEventListener("abort", cancel);
  try {
    yield* parseLines(readLines(reader));
  } finally {
    signal?.removeEventListener("abort", cancel);
    cancel();
  }
  signal?.throwIfAborted();
}

async function* parseLines(lines) {
  let event = { name: "", data: [] };
  let id = "";
  for await (const line of lines) {
    if (line === "") {
      if (event.data.length) yield { name: event.name || "message", data: event.data.join("\n"), id };
      event = { name: "", data: [] };
      continue;
    }
    const [, field, value] = /^([^:]*):? ?([^]*)$/.exec(line);
    if (field === "event") event.name = value;
    else if (field === "data") event.data.push(value);
    else if (field === "id") id = value;
  }
}

async function* readLines(reader) {
  const decoder = new TextDecoder();
  let rest = "";
  for (;;) {
    const chunk = await readChunk(reader);
    if (!chunk) return; // an incomplete last event is no event
    const lines = (rest + decoder.decode(chunk, { stream: true })).split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop();
    yield* lines;
  }
}

/** Return the next bytes; undefined if there are none, or none in time. */
async function readChunk(reader) {
  let timer;
  const silence = new Promise((resolve) => (timer = setTimeout(resolve, SILENCE_MS)));
  try {
    return await Promise.race([reader.read().then(({ value }) => value), silence]);
  } catch {
    return undefined;
  } finally {
    clearTimeout(timer);
  }
}

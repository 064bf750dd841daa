// Server-sent events out of the body of a response, as they come: `{ id, type, data }`.
// Not EventSource: that hides the status of a refusal, and so whether to poll instead.

const SILENCE_MS = 40_000; // the service says at least a comment each 15 s; a connection silent for longer is dead

export async function* eventsOf(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await inTime(reader.read());
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        isOver ||= event?.type === "done"; // then the service ends the stream itself
        if (event) yield event;
      }
    }
  } finally {
    if (!isOver) reader.cancel().catch(() => {}); // it may have broken already
  }
}

function parse(block) {
  const fields = {};
  for (const line of block.split("\n")) {
    const colon = line.indexOf(": ");
    if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
  }
  return fields.data ? { id: fields.id ?? null, type: fields.event, data: JSON.parse(fields.data) } : null;
}

function inTime(reading) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("silent for too long")), SILENCE_MS);
  });
  return Promise.race([reading, silence]).finally(() => clearTimeout(timer));
}

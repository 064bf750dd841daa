// Reads server-sent events from the body of a response: `{ id, type, data }`. EventSource is not used because it hides
// the status of a refused request, which decides whether to poll instead.

const SILENCE_MS = 40_000; // the service sends at least a comment every 15 s; a connection silent for longer is dead

export async function* readEvents(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let isOver = false;
  try {
    for (;;) {
      const { done, value } = await failOnSilence(reader.read());
      if (done) return;
      const blocks = (rest + value).split("\n\n");
      rest = blocks.pop();
      for (const block of blocks) {
        const event = parse(block);
        isOver ||= event?.type === "erased"; // the service closes the stream after this event
        if (event) yield event;
      }
    }
  } finally {
    if (!isOver) reader.cancel().catch(() => {}); // fails if the connection is already broken
  }
}

function parse(block) {
  const fields = {};
  for (const field of block.split("\n")) {
    const colon = field.indexOf(": ");
    if (colon > 0) fields[field.slice(0, colon)] = field.slice(colon + 2);
  }
  return fields.data ? { id: fields.id ?? null, type: fields.event, data: JSON.parse(fields.data) } : null;
}

function failOnSilence(reading) {
  let timer;
  const silence = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the stream was silent for too long")), SILENCE_MS);
  });
  return Promise.race([reading, silence]).finally(() => clearTimeout(timer));
}

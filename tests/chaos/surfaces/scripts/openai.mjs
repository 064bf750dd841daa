// OpenAI's client: streamed responses, and after an error the same request again.
import OpenAI from "./openai_library.mjs";
import { repeat, talk, url } from "./talking.mjs";

const client = new OpenAI({ baseURL: `${url}/openai/v1`, apiKey: "unused" });

async function respond(conversation, input) {
  const headers = { "Idempotency-Key": input };
  for await (const event of await client.responses.create({ conversation, input, stream: true }, { headers })) {
    if (event.type === "response.completed") {
      return event.response.output.flatMap((item) => item.content ?? []).map((part) => part.text).join("");
    }
  }
  throw new Error("The stream has ended before the response.");
}

await talk((conversation) => (input) => repeat(() => respond(conversation, input)));

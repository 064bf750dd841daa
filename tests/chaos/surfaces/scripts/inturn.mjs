// The JavaScript client of the service itself.
import { InTurn } from "./inturn/index.js";
import { repeat, talk, url } from "./talking.mjs";

const inturn = new InTurn(url);

await talk((session_id) => async (input) => {
  const turn = await repeat(() => inturn.ask({ session_id, input }, { idempotencyKey: input }));
  return turn.output.content;
});

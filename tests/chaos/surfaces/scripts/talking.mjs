// What the scripts share: their conversations come as JSON, and each answer leaves as a line with the text and it.
import { readFileSync } from "node:fs";

process.on("uncaughtException", (error) => {
  process.stderr.write(`${error}\n`); // without the line of the error, which is a whole bundle long
  process.exit(1);
});

const PATIENCE_MS = 120_000;
const REPEAT_MS = 300;

export const { url, conversations } = JSON.parse(readFileSync(0, "utf8"));

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Hold all conversations at the same time. `open(session)` returns a function that answers a text. */
export async function talk(open) {
  await Promise.all(
    conversations.map(async ({ session, texts }) => {
      const ask = open(session);
      for (const text of texts) process.stdout.write(`${JSON.stringify([text, await ask(text)])}\n`);
    }),
  );
}

/** Call until there is no error, as an application does when its client has given up. */
export async function repeat(call) {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await sleep(REPEAT_MS);
    }
  }
}

// The findings of the service, and what the page knows that the service cannot: that it does not answer.
import { commands } from "../shared/commands.js";

// Return the findings, the most severe first. Old statistics prove nothing about the present, so an error hides them.
// `level` is bad, warn, good or unknown. `to` is the route that `todo` links to.
export function findFindings({ stats, error, keyPrompt }) {
  if (stats && !error) return stats.findings;
  if (error) {
    const todo = `Check the store and the web processes: run \`${commands.doctor}\`.`;
    return [{ level: "bad", headline: "Status unknown.", detail: error, todo }];
  }
  if (keyPrompt) return [{ level: "unknown", headline: "Locked.", detail: "Enter an API key above." }];
  return [{ level: "unknown", headline: "Loading…" }];
}

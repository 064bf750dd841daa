// What an answer has beside its text: reasoning, tools, images and sources, as a list of parts in the order of the API.

// Return the parts after an event of the stream.
export function addPart(parts, { type, data }) {
  const last = parts.at(-1);
  if (type === "reasoning") {
    return last?.type === type ? [...parts.slice(0, -1), { type, text: last.text + data.text }] : [...parts, { type, text: data.text }];
  }
  const at = parts.findIndex((part) => part.type === type && part.call_id === data.call_id);
  if (at < 0) return [...parts, { type, ...data }];
  return parts.map((part, n) => (n === at ? { ...part, ...data, arguments: part.arguments } : part));
}

// Return the parts of an output of the API, without those that `content` has.
export function partsOf(output) {
  return output?.parts?.filter((part) => part.type !== "text");
}

export const stepsOf = (parts) => parts.filter(({ type }) => type === "reasoning" || type === "tool");

// Return what the model does or did, in a few words.
export function stepsLabel(steps, isAnswering) {
  const last = steps.at(-1);
  if (isAnswering && last.state === "started") return `Using ${last.name}…`;
  const names = [...new Set(steps.filter(({ type }) => type === "tool").map(({ name }) => name))];
  const used = names.length > 3 ? `${names.length} tools` : names.join(", ");
  const thought = steps.some(({ type }) => type === "reasoning");
  return [thought && "Thoughts", used && `${thought ? "used" : "Used"} ${used}`].filter(Boolean).join(", ");
}

const TOOL_LABELS = { started: "running", finished: "done", failed: "failed" };

export const toolLabel = ({ state }) => TOOL_LABELS[state] ?? state;

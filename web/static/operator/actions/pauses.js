// Pauses of parts of the service: intake, workers, or a tenant, assistant, lane, provider or model.
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { partLabel, SWITCHES } from "../format/labels.js";

const KINDS = ["tenant", "assistant", "lane", "provider", "model"];
const DURATIONS = { "until it is resumed": "", "for 15 minutes": 900, "for 1 hour": 3600, "for 4 hours": 14400, "for 24 hours": 86400 };
const DURATION = { name: "for_seconds", label: "Duration", type: "select", options: Object.entries(DURATIONS).map(([text, seconds]) => [seconds, text]) };
const PART = [
  { name: "kind", label: "Kind", type: "select", options: KINDS.map((kind) => [kind, kind]) },
  { name: "name", label: "Name", required: true, maxlength: 255, help: "As in the turns. A lane is interactive or batch; a provider is default, or the host of a base URL." },
];

// Without a part, the dialog asks for one.
export const pause = (part) => ({
  label: part ? `Pause ${partLabel(part)}` : "Pause a part…",
  isDestructive: true,
  title: part ? `Pause ${partLabel(part)}?` : "Pause a part of the service?",
  description:
    part && SWITCHES[part.kind]
      ? `While paused, ${SWITCHES[part.kind].effect}.`
      : "Its turns do not start. Running ones finish, and new ones are accepted and wait.",
  confirmLabel: part ? `Pause ${partLabel(part)}` : "Pause",
  fields: [...(part ? [] : PART), REASON, DURATION],
  async run({ kind, name, reason = "", for_seconds }) {
    const chosen = part ?? { kind, name: name.trim() };
    await api.pause(chosen, { reason: reason.trim(), for_seconds: Number(for_seconds) || null });
    return `Paused: ${partLabel(chosen)}.`;
  },
});

export const resume = (part) => ({
  label: `Resume ${partLabel(part)}`,
  async run() {
    await api.resume(part);
    return `Resumed: ${partLabel(part)}.`;
  },
});

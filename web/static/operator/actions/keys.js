// Actions on API keys, as described in turns.js. They need a key with the scope admin.
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { pluralize } from "../format/labels.js";

const DAY = 86400;
const LIFETIMES = [["", "until it is revoked"], [30 * DAY, "30 days"], [90 * DAY, "90 days"], [365 * DAY, "a year"]];
const OVERLAPS = [[DAY, "for one day"], [3600, "for one hour"], [7 * DAY, "for one week"], [0, "not at all"]];
const SCOPES = [
  ["turns", "turns: submit and read the tenant's turns"],
  ["read", "read: read the tenant's turns"],
  ["operator", "operator: operate the service"],
  ["observer", "observer: read numbers, but no message text"],
  ["admin", "admin: manage keys"],
  ["admin,operator", "admin and operator"],
];
const SHOWN_ONCE = "Copy it now: it is stored nowhere and cannot be shown again.";
const MAX_CANCELLING_REQUESTS = 100; // each of which cancels up to 500 turns

export const createKey = () => ({
  label: "Create a key…",
  isForAdmin: true,
  title: "Create an API key?",
  description: "Its text is shown once.",
  confirmLabel: "Create key",
  fields: [
    { name: "tenant", label: "Tenant", required: true, maxlength: 128, help: "The key reads and changes what belongs to it." },
    { name: "scopes", label: "Scope", type: "select", options: SCOPES },
    { name: "label", label: "Label", maxlength: 100, help: "What the key is for." },
    { name: "lifetime_seconds", label: "Valid", type: "select", options: LIFETIMES },
  ],
  async run({ tenant, scopes, label = "", lifetime_seconds }) {
    const given = { tenant: tenant.trim(), scopes: scopes.split(","), label: label.trim(), lifetime_seconds: Number(lifetime_seconds) || null };
    const key = await api.createKey({ ...given, id: newKeyId() });
    return { message: `Key ${key.id} of ${key.tenant}. ${SHOWN_ONCE}`, secret: key.api_key };
  },
});

export const rotateKey = ({ id }) => ({
  label: "Rotate",
  isForAdmin: true,
  title: "Rotate this key?",
  description: `A successor of ${id} gets the same tenant, scopes, label and lifetime. Its text is shown once.`,
  confirmLabel: "Rotate key",
  fields: [{ name: "overlap_seconds", label: "The old key still works", type: "select", options: OVERLAPS, value: DAY }, REASON],
  async run({ overlap_seconds, reason = "" }) {
    const key = await api.rotateKey(id, { overlap_seconds: Number(overlap_seconds), reason: reason.trim(), id: newKeyId() });
    return { message: `Key ${key.id} replaces ${id}. ${SHOWN_ONCE}`, secret: key.api_key };
  },
});

// `lastScope` is the scope that no other active key has, if the operators could not go on without it.
export const revokeKey = ({ id }, lastScope) => ({
  label: "Revoke",
  isForAdmin: true,
  isDestructive: true,
  title: "Revoke this key?",
  description: `Within two seconds, requests with ${id} are refused. It stays listed for 90 days.`,
  confirmLabel: "Revoke key",
  consent: lastScope && `Revoke the last key with the scope ${lastScope}. Only a command on the machine of the service creates another one.`,
  fields: [{ name: "cancel", label: "Its live turns", type: "select", options: [["", "continue"], ["true", "are cancelled"]] }, REASON],
  async run({ cancel, reason = "" }) {
    const cancelled = await revoke(id, { cancel: Boolean(cancel), reason: reason.trim(), even_last: Boolean(lastScope) });
    return cancel ? `Key ${id} is revoked, and ${pluralize(cancelled, "turn")} cancelled.` : `Key ${id} is revoked.`;
  },
});

// Return the number of cancelled turns.
async function revoke(id, options) {
  let cancelled = 0;
  for (let request = 0; request < MAX_CANCELLING_REQUESTS; request++) {
    const answer = await api.revokeKey(id, options);
    cancelled += answer.cancelled;
    if (!answer.has_more) break;
  }
  return cancelled;
}

// The caller chooses the id, so that a request which the browser sends twice creates one key.
function newKeyId() {
  return [...crypto.getRandomValues(new Uint8Array(6))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

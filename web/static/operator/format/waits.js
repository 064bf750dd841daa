// The reasons for which a turn has waited, in words. Pure functions.

// Why a turn waited, and the class of its segment. Reasons that this page does not know are shown as they are.
const WAITS = {
  running: { kind: "behind", text: () => "behind earlier turns of its session" },
  model_paused: { kind: "held", text: (what) => `${modelOf(what)} limits its rate` },
  model_outage: { kind: "held", text: (what) => `${modelOf(what)} does not answer` },
  paused: { kind: "held", text: (what) => `an operator has paused the ${what.replace("/", " ")}` },
  workers_paused: { kind: "held", text: () => "the workers are paused" },
  parked: { kind: "parked", text: (what) => `no free slot for ${groupLabel(what)}` },
  no_worker: { kind: "missing", text: () => "no worker is running" },
  retry: { kind: "retry", text: (what) => `for a retry after ${what}` },
  worker_lost: { kind: "lost", text: (what) => `worker ${what} was lost` },
  silent: { kind: "silent", text: () => "no text in the middle of the answer" },
};

// The model of a hold, without the digest of the assistant's own provider.
const modelOf = (hold) => hold.replace(/^[0-9a-f]{8}\//, "") || "the default model";

// A group such as `tenant:acme`, or `loop/tenant:acme/model:m` for a share of the workers.
function groupLabel(group) {
  if (group.startsWith("losses:")) return "turns that lost workers";
  const parts = group.replace(/^(loop|chains)\//, "").split(/\/(?=(?:tenant|model|chain):)/);
  return parts.map((part) => part.replace(":", " ")).join(", ");
}

export const waitKind = ({ reason }) => WAITS[reason]?.kind ?? "held";
export const waitText = ({ reason, what }) => WAITS[reason]?.text(what) ?? [reason.replaceAll("_", " "), what].filter(Boolean).join(": ");

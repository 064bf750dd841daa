// Actions on the limits of a tenant, as described in turns.js.
import { ApiError, serverNow } from "../../shared/http.js";
import * as api from "../api.js";
import { REASON } from "../components/field.js";
import { LIMITS, tenantLabel } from "../format/labels.js";

const HOURS = [["", "until reset"], ["0.25", "15 minutes"], ["1", "1 hour"], ["8", "8 hours"], ["24", "1 day"], ["168", "7 days"]];

export const setLimits = ({ tenant, limits, own_limits }) => ({
  label: own_limits ? "Change limits" : "Set limits",
  title: `Limits of the tenant ${tenantLabel(tenant)}`,
  description: "They apply at once, in all processes, and replace the tenant's own limits. Running turns finish.",
  confirmLabel: "Set limits",
  fields: [
    ...Object.entries(LIMITS).map(([name, { label, min }]) => ({
      ...{ name, label, type: "number", min, max: 1_000_000_000, value: own_limits?.[name] ?? "" },
      placeholder: own_limits ? "default" : `default: ${limits[name] || "unlimited"}`,
      help: min === 0 ? "Empty: the default. 0: unlimited." : "Empty: the default.",
    })),
    { name: "hours", label: "For", type: "select", options: HOURS },
    REASON,
  ],
  async run({ hours, reason, ...given }) {
    const numbers = Object.fromEntries(Object.entries(given).map(([name, text]) => [name, Number(text)]));
    if (!Object.keys(numbers).length) throw new ApiError({ detail: "Enter at least one limit." });
    const until = hours && new Date(serverNow() + hours * 3_600_000).toISOString();
    await api.setLimits(tenant, { ...numbers, reason: reason ?? "", ...(until && { until }) });
    return "Limits set. They apply now.";
  },
});

export const removeLimits = ({ tenant }) => ({
  label: "Reset to default",
  title: `Reset the limits of ${tenantLabel(tenant)}?`,
  description: "The limits of the settings apply again, at once. Waiting turns start as far as these allow it.",
  confirmLabel: "Reset limits",
  fields: [REASON],
  async run({ reason }) {
    await api.removeLimits(tenant, reason);
    return "Reset. The default limits apply now.";
  },
});

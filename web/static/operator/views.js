// The views of the page. A new view is one entry here, one file in views/, and its actions in actions/.
//   tab     label in the navigation. A view without one is reached by links; the tab of its `parent` is marked.
//   place   "bar": always visible; "wide": in the menu "More" on a phone; "menu": always in that menu
//   count   (stats) => the number beside the tab
//   title   (route) => the heading, also in the title of the document
//   fields  the filters that the URL of the view may contain
//   load    (route) => a promise of the `data` of the view; called again at each refresh
//   View    component with { page, route, stats, data }; `data` is undefined until the first response
// Use components/: Table (cards on a phone), Empty (why there is nothing, and links to what to do next), ActionButton (for
// an action as described in actions/turns.js: red if it is destructive, absent for a key that may not act), a form in the
// dialog of an action (`fields`). Times are RelativeTime or Instant, which show local time and UTC on hover.
import * as api from "./api.js";
import { tenantLabel } from "./format/labels.js";
import { AuditView } from "./views/audit.js";
import { FailedView } from "./views/failed.js";
import { FindView } from "./views/find.js";
import { HistoryView } from "./views/history.js";
import { JobsView } from "./views/jobs.js";
import { KeysView } from "./views/keys.js";
import { LiveView } from "./views/live.js";
import { OverviewView } from "./views/overview.js";
import { SessionView } from "./views/session.js";
import { TenantView } from "./views/tenant.js";
import { TenantsView } from "./views/tenants.js";
import { TurnView } from "./views/turn.js";
import { usageQuery, UsageView } from "./views/usage.js";
import { WorkersView } from "./views/workers.js";

const MAX_ROWS = 100;
const OVERVIEW_ROWS = 8; // the overview fits one screen

export const VIEWS = {
  overview: {
    ...{ View: OverviewView, tab: "Overview", place: "bar", title: () => "Overview", fields: ["minutes"] },
    load: () => api.listLiveTurns({ limit: OVERVIEW_ROWS }),
  },
  live: {
    ...{ View: LiveView, tab: "Live", place: "bar", count: (stats) => stats.live_turns, title: () => "Live turns" },
    fields: ["status", "tenant", "worker", "text"],
    load: (filter) => api.listLiveTurns({ ...filter, limit: MAX_ROWS }),
  },
  history: {
    ...{ View: HistoryView, tab: "All turns", place: "wide", title: () => "All turns, live and ended" },
    fields: [
      ...["status", "user_id", "session_id", "tenant", "assistant", "model", "code", "accepted_after", "accepted_before"],
      ...["request_id", "trace_id", "idempotency_key", "after"],
    ],
    load: (filter) => api.listTurns({ ...filter, limit: MAX_ROWS }),
  },
  find: {
    ...{ View: FindView, parent: "history", title: ({ q = "" }) => `Search: ${q}`, fields: ["q"] },
    load: ({ q }) => api.search(q),
  },
  turn: {
    ...{ View: TurnView, parent: "live", title: ({ id }) => `Turn …${(id ?? "").slice(-8)}`, fields: ["id"] },
    load: ({ id }) => api.getTimeline(id),
  },
  session: {
    ...{ View: SessionView, parent: "live", title: ({ session_id }) => `Session ${session_id}` },
    fields: ["tenant", "session_id", "user_id"],
    load: (session) => api.getSessionQueue(session),
  },
  failed: {
    ...{ View: FailedView, tab: "Failed", place: "bar", count: (stats) => stats.failed_turns, title: () => "Failed turns" },
    fields: ["code", "tenant", "user_id", "session_id", "assistant", "model", "after"],
    load: (filter) => api.listFailedTurns(filter),
  },
  jobs: {
    ...{ View: JobsView, tab: "Bulk acts", place: "menu", title: () => "Bulk acts", fields: ["id"] },
    load: () => api.listJobs(),
  },
  tenants: {
    ...{ View: TenantsView, tab: "Tenants", place: "wide", title: () => "Tenants", fields: ["sort"] },
    load: ({ sort }) => api.listTenants({ sort, limit: MAX_ROWS }),
  },
  tenant: {
    ...{ View: TenantView, parent: "tenants", title: ({ tenant }) => `Tenant ${tenantLabel(tenant ?? "-")}`, fields: ["tenant"] },
    load: ({ tenant }) => api.getTenant(tenant ?? "-"),
  },
  usage: {
    ...{ View: UsageView, tab: "Usage", place: "menu", title: () => "Usage: tokens and cost" },
    fields: ["days", "by", "tenant", "user_id", "assistant", "model"],
    load: (filter) => api.getUsage(usageQuery(filter)),
  },
  workers: {
    ...{ View: WorkersView, tab: "Workers", place: "bar", count: (stats) => stats.live_workers, title: () => "Workers" },
    fields: [],
    load: () => api.listWorkers(),
  },
  keys: {
    ...{ View: KeysView, tab: "API keys", place: "menu", title: () => "API keys", fields: ["tenant", "after"] },
    load: (filter) => api.listKeys(filter),
  },
  audit: {
    ...{ View: AuditView, tab: "Audit log", place: "menu", title: () => "Audit log" },
    fields: ["outcome", "key_id", "tenant", "action", "what", "since", "until", "after"],
    load: (filter) => api.listAudit(filter),
  },
};

// Return the route of the query of a URL; unknown views and filters are ignored.
export function parseRoute(search) {
  const query = Object.fromEntries(new URLSearchParams(search));
  const view = Object.hasOwn(VIEWS, query.view ?? "") ? query.view : "overview";
  const given = VIEWS[view].fields.filter((field) => query[field]).map((field) => [field, query[field]]);
  return { view, ...Object.fromEntries(given) };
}

// Return the filters of a route, without the view.
export const filtersOf = ({ view, ...filters }) => filters;

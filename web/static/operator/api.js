// The operator endpoints of the HTTP API, one function each. All of them throw `ApiError` or `NetworkError`.
import { queryString, request, requestJson } from "../shared/http.js";

const PREVIEW_TIMEOUT_SECONDS = 60; // tens of thousands of turns are counted
const keyPath = (id) => `/operator/keys/${encodeURIComponent(id)}`;
const tenantPath = (tenant) => `/operator/tenants/${encodeURIComponent(tenant)}`;
const turnPath = (id) => `/operator/turns/${encodeURIComponent(id)}`;
const pausePath = ({ kind, name }) => `/operator/pauses/${kind}${name ? `/${encodeURIComponent(name)}` : ""}`;

export const getStats = (minutes) => requestJson("GET", `/operator/stats.json${queryString({ minutes })}`);
export const listLiveTurns = (filter) => requestJson("GET", `/operator/turns${queryString(filter)}`);
export const listTurns = (filter) => requestJson("GET", `/operator/turns${queryString({ ...filter, ended: true })}`);

// A search may take the store a second, so the refreshes of the page do not repeat it each time.
const SEARCH_MS = 15_000;
let lastSearch = {};
export async function search(q) {
  if (lastSearch.q === q && Date.now() - lastSearch.at < SEARCH_MS) return lastSearch.answer;
  const answer = await requestJson("GET", `/operator/search${queryString({ q })}`);
  lastSearch = { q, answer, at: Date.now() };
  return answer;
}

export const getTimeline = (id) => requestJson("GET", turnPath(id));
export const getText = (id) => requestJson("GET", `${turnPath(id)}/text`);
export const getSessionQueue = (session) => requestJson("GET", `/operator/session${queryString(session)}`);
export const listFailedTurns = (filter) => requestJson("GET", `/operator/failed${queryString({ ...filter, limit: 100 })}`);
export const listJobs = () => requestJson("GET", "/operator/jobs");
export const getJob = (id) => requestJson("GET", `/operator/jobs/${id}`);
export const previewJob = (conditions) =>
  requestJson("GET", `/operator/preview${queryString(conditions)}`, { timeoutSeconds: PREVIEW_TIMEOUT_SECONDS });

export const pause = (part, body) => requestJson("PUT", pausePath(part), { body });
export const resume = (part) => requestJson("DELETE", pausePath(part));
export const liftHold = (name) => requestJson("POST", `/operator/holds/lift?name=${encodeURIComponent(name)}`);
export const retry = (id) => requestJson("POST", `/operator/failed/${id}/retry`);
export const putJob = (id, body) => requestJson("PUT", `/operator/jobs/${id}`, { body });
export const stopJob = (id) => requestJson("POST", `/operator/jobs/${id}/stop`);
export const undoJob = (id) => requestJson("POST", `/operator/jobs/${id}/undo`);
export const cancelTurn = (id, reason) => requestJson("POST", `${turnPath(id)}/cancel${queryString({ reason })}`);
export const cancelSession = (session, reason) => requestJson("POST", `/operator/session/cancel${queryString({ ...session, reason })}`);

// A report of many users takes the service a second, so the refresh of the page repeats it only after a while.
const USAGE_SECONDS = 15;
let lastUsage = null;
export function getUsage(query) {
  const path = `/operator/usage${queryString(query)}`;
  if (lastUsage?.path !== path || Date.now() - lastUsage.at > USAGE_SECONDS * 1000) {
    lastUsage = { path, at: Date.now(), report: requestJson("GET", path) };
    lastUsage.report.catch(() => (lastUsage = null));
  }
  return lastUsage.report;
}

// A link cannot carry the key, so the file is loaded first.
export async function downloadUsage(query) {
  const response = await request(`/operator/usage${queryString({ ...query, format: "csv" })}`, { method: "GET", headers: {} });
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = `usage_${query.since}_${query.until}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}

export const listWorkers = () => requestJson("GET", "/operator/workers");
export const drain = (worker) => requestJson("POST", `/operator/workers/${encodeURIComponent(worker)}/drain`);
export const rescueWorker = (worker, reason) =>
  requestJson("POST", `/operator/workers/${encodeURIComponent(worker)}/rescue${queryString({ reason })}`);
export const listTenants = (filter) => requestJson("GET", `/operator/tenants${queryString(filter)}`);
export const getTenant = (tenant) => requestJson("GET", tenantPath(tenant));
export const setLimits = (tenant, body) => requestJson("PUT", tenantPath(tenant), { body });
export const removeLimits = (tenant, reason) => requestJson("DELETE", `${tenantPath(tenant)}${queryString({ reason })}`);
export const listKeys = (filter) => requestJson("GET", `/operator/keys${queryString({ ...filter, limit: 100 })}`);
export const createKey = (body) => requestJson("POST", "/operator/keys", { body });
export const rotateKey = (id, body) => requestJson("POST", `${keyPath(id)}/rotate`, { body });
export const revokeKey = (id, options) => requestJson("POST", `${keyPath(id)}/revoke${queryString(options)}`);
export const listAudit = (filter) => requestJson("GET", `/operator/audit${queryString({ ...filter, limit: 100 })}`);

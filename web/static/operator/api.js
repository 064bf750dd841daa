// The operator's part of the HTTP API, one function an operation. All of them raise `Refused` or `Unreachable`.
import { ask, query } from "../shared/http.js";

export const stats = (minutes) => ask("GET", `/operator/stats.json${query({ minutes })}`);
export const liveTurns = (filter) => ask("GET", `/operator/turns${query(filter)}`);
export const timeline = (id) => ask("GET", `/operator/turns/${encodeURIComponent(id)}`);
export const text = (id) => ask("GET", `/operator/turns/${encodeURIComponent(id)}/text`);
export const sessionQueue = (session) => ask("GET", `/operator/session${query(session)}`);
export const failed = ({ code, after }) => ask("GET", `/operator/failed${query({ code, after, limit: 100 })}`);

export const pause = (name) => ask("POST", `/operator/pause/${name}`);
export const resume = (name) => ask("POST", `/operator/resume/${name}`);
export const retry = (id) => ask("POST", `/operator/failed/${id}/retry`);
export const discard = (id) => ask("POST", `/operator/failed/${id}/discard`);
export const retryAll = (code, count) => ask("POST", `/operator/failed/retry${query({ code, count })}`);
export const discardAll = (code, count) => ask("POST", `/operator/failed/discard${query({ code, count })}`);
export const drain = (worker) => ask("POST", `/operator/workers/${encodeURIComponent(worker)}/drain`);

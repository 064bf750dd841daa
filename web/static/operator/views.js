// What each view asks the service for.
import * as api from "./api.js";

const MOST = 100;
const FEW = 8; // on the overview, so that it fits a screen

export const LOADS = {
  overview: () => api.liveTurns({ limit: FEW }),
  live: ({ status, tenant, worker, text }) => api.liveTurns({ status, tenant, worker, text, limit: MOST }),
  turn: ({ id }) => api.timeline(id),
  session: ({ tenant, session_id, user_id }) => api.sessionQueue({ tenant, session_id, user_id }),
  failed: ({ code, after }) => api.failed({ code, after }),
  workers: () => Promise.resolve(true), // the numbers have them
};

// The request that loads the data of each view.
import * as api from "./api.js";

const MAX_ROWS = 100;
const OVERVIEW_ROWS = 8; // the overview fits one screen

export const LOADERS = {
  overview: () => api.listLiveTurns({ limit: OVERVIEW_ROWS }),
  live: ({ status, tenant, worker, text }) => api.listLiveTurns({ status, tenant, worker, text, limit: MAX_ROWS }),
  turn: ({ id }) => api.getTimeline(id),
  session: ({ tenant, session_id, user_id }) => api.getSessionQueue({ tenant, session_id, user_id }),
  failed: ({ code, after }) => api.listFailedTurns({ code, after }),
  workers: () => api.listWorkers(),
};

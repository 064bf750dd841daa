/** Every error of this client, except the reason of a signal that was aborted. */
export class InTurnError extends Error {
  /**
   * `code` is stable: one of the API reference, or `unreachable`, `still_running` or `not_inturn` of this client.
   * `status` is that of the response, 0 without one. `retryAfter` is in seconds. `errors` are the wrong fields.
   */
  constructor(message, { code, status = 0, retryAfter, errors = [], requestId, turn, cause }) {
    super(message, { cause });
    this.name = "InTurnError";
    Object.assign(this, { code, status, retryAfter, errors, requestId, turn });
  }
}

/** Return the error of a response that is no success, given its body. */
export function toError(response, body) {
  const problem = parseProblem(body);
  const retryAfter = Number(response.headers.get("retry-after") ?? NaN);
  return new InTurnError(problem.detail ?? `HTTP ${response.status}`, {
    code: problem.code ?? "not_inturn",
    status: response.status,
    retryAfter: Number.isFinite(retryAfter) ? retryAfter : undefined,
    errors: problem.errors,
    requestId: response.headers.get("x-request-id") ?? undefined,
  });
}

function parseProblem(body) {
  try {
    return JSON.parse(body) ?? {};
  } catch {
    return {}; // from a proxy
  }
}

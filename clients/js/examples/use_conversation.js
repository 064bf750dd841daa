// A React hook for one conversation. A message can be sent while others wait, and a reload continues where it was.
import { useCallback, useEffect, useState } from "react";

/**
 * Return the turns of a session, oldest first, and the functions `send(input)` and `stop()`.
 *
 * Each turn is one of the API, with its answer so far as `text`. `inturn` must stay the same between renderings.
 */
export function useConversation(inturn, sessionId) {
  const [turns, setTurns] = useState([]);
  const [error, setError] = useState(null);
  const [abort, setAbort] = useState(null);

  const show = useCallback((turn) => {
    setTurns((shown) => [...shown.filter(({ id }) => id !== turn.id), turn].sort((a, b) => a.sequence - b.sequence));
  }, []);

  const follow = useCallback(
    async (turn, signal) => {
      let text = "";
      show({ ...turn, text });
      for await (const event of inturn.stream(turn.id, { signal })) {
        if (event.type === "delta") text += event.text;
        if (event.type === "reset") text = "";
        show({ ...turn, status: event.status ?? "in_progress", ...event.turn, text });
      }
    },
    [inturn, show],
  );

  useEffect(() => {
    const abort = new AbortController();
    const { signal } = abort;
    const report = (cause) => signal.aborted || setError(cause);
    const load = async () => {
      for await (const turn of inturn.turns({ sessionId, signal })) {
        if (turn.finished_at) show({ ...turn, text: turn.output?.content ?? "" });
        else follow(turn, signal).catch(report);
      }
    };
    setTurns([]);
    setError(null);
    setAbort(abort);
    load().catch(report);
    return () => abort.abort();
  }, [inturn, sessionId, show, follow]);

  const send = async (input) => {
    try {
      const turn = await inturn.submit({ session_id: sessionId, input }, { signal: abort?.signal });
      await follow(turn, abort?.signal);
    } catch (cause) {
      if (!abort?.signal.aborted) setError(cause);
    }
  };

  const stop = () => Promise.all(turns.filter((turn) => !turn.finished_at).map((turn) => inturn.cancel(turn.id)));

  return { turns, error, send, stop };
}

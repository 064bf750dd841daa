-- requires: append_event

-- Send the last piece of an answer, which is not in the stream yet, before the turn ends.
local function emit_tail(turn, was, tail)
  if was.text_end then
    publish_event(turn, was, was.claims .. '-' .. was.text_end, was.attempt, 'delta', tail)
  else
    append_event(turn, was, was.claims .. '-*', was.attempt, 'delta', tail)
  end
end

-- End the event stream of a turn, and keep it for its late readers.
--
-- If `was.text_end` is the number of characters of the output, the run has emitted nothing else, so `folded_events` in
-- Python derives all events from the record. The stream, which takes 4 KB for the shortest answer, is then deleted.
local function end_events(turn, was, status)
  local is_unclaimed = was.claims == '0'  -- it has no stream
  if not was.text_end and not is_unclaimed then
    append_event(turn, was, was.claims .. '-*', was.attempt, 'done', status)
    redis.call('PEXPIRE', KEY.events .. turn, POLICY.event_ttl_ms)
    return
  end
  publish_event(turn, was, was.claims .. '-' .. (was.text_end or 0) + 1, was.attempt, 'done', status)
  if not is_unclaimed then redis.call('UNLINK', KEY.events .. turn) end
end

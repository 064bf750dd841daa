-- requires: serve_waiters

-- Serve a group for which turns wait. The end of a turn serves only its own groups; others may take what it leaves free.
local function serve_group(name, max_turns, now)
  serve_waiters(name, max_turns, now)
  if redis.call('EXISTS', KEY.slot_waiters .. name) == 1 then
    redis.call('ZADD', KEY.crowded, now + POLICY.crowd_poll_ms, name)
  else
    redis.call('ZREM', KEY.crowded, name)
  end
end

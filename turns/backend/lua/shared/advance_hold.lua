-- requires: admit, by_name, find_pause, finish, is_queued, pause_turn, read_record, transitions

local MAX_FAILED = 100  -- turns that one call ends

-- End the turns that have waited for this hold as long as they may, and add them to `failed`. One that an operator has
-- paused meanwhile waits for that instead.
local function fail_impatient_turns(name, hold, now, failed)
  local patience_ms = hold.reason == 'outage' and POLICY.outage_patience_ms or POLICY.patience_ms
  local since = now - patience_ms
  for _, turn in ipairs(redis.call('ZRANGE', KEY.held .. name, '-inf', since, 'BYSCORE', 'LIMIT', 0, MAX_FAILED)) do
    local was = is_queued(turn) and read_record(turn) or {}
    local model = was.provider and string.sub(name, #was.provider + 2) or name
    local pause = was.held_by == name and find_pause(turn, was, model, '', now)
    if pause then
      pause_turn(turn, was, pause, now)
    elseif was.held_by == name then
      finish(turn, was, AFTER[was.status].fail, hold.code, now, 'error_code', hold.code)
      failed[#failed + 1] = turn
    else
      redis.call('ZREM', KEY.held .. name, turn)
    end
  end
end

-- Admit the probe of a hold whose time has passed; if the provider answers, some more, in case the answers that should
-- admit them do not come.
local function admit_due_turns(name, hold, held, now)
  if hold.answered_at then
    admit_turns(name, 0, POLICY.admitted_per_poll - 1, now)
  elseif not is_probing(name, hold.probe) and held > 0 then
    -- Each probe is another turn, so that one whose request always fails does not keep the model from all others.
    local position = hold.step % held
    local probe = admit_turns(name, position, position, now)
    if probe then redis.call('HSET', KEY.hold .. name, 'probe', probe) end
  end
end

-- Let a hold go on whose time for a check has come. Return the turns that have failed.
local function advance_hold(name, now)
  local hold, held, failed = by_name(redis.call('HGETALL', KEY.hold .. name)), redis.call('ZCARD', KEY.held .. name), {}
  local until_at = tonumber(hold['until'] or 0)  -- without it, the store has evicted the hold
  if until_at > now + POLICY.longest_pause_ms then  -- the clock was set back
    redis.call('HSET', KEY.hold .. name, 'until', now)
    until_at = now
  end
  -- A hold without turns is kept for a while, so that one new turn probes instead of all of them.
  if held == 0 and now > until_at + POLICY.idle_hold_ms then
    close_hold(name)
    return failed
  end
  redis.call('ZADD', KEY.holds, now + POLICY.hold_poll_ms, name)
  if until_at == 0 then
    admit_turns(name, 0, POLICY.admitted_per_poll - 1, now)
    return failed
  end
  fail_impatient_turns(name, hold, now, failed)
  if now >= until_at then admit_due_turns(name, hold, held - #failed, now) end
  return failed
end

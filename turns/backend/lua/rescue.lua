#!lua flags=allow-oom
-- rescue: Process due turns, record that this worker is alive, and snapshot the counters.
--
-- A turn is due if its hint got lost, its retry time has come or its worker's lease ran out. Any number of workers may
-- do this at once, because each entry is moved ahead in the step that acts on it.
--
-- ARGV  1 worker, or '' to record nothing
--       2 maximum number of turns to process
--       3 the hint with its placeholder, as this worker's Celery writes it, or ''
--       4 where to keep it: 'hint', or 'chain_hint' if this worker runs custom chains
--       5 number of turns that this worker can run at once, or 0 if that is unknown
-- Reply turn id, outcome, turn id, outcome, …  outcome: DISPATCHED (once more), RESCUED (its lease ran out), LOST
--       (likewise, but it has lost too many workers and has failed), WAITING (its hint is still in the broker's
--       list, leases could not be renewed, or an operator has paused it), GONE (there is no such turn),
--       EXPIRED (it was not started in time and has ended), RESTORED (as DISPATCHED, and its session had lost it),
--       BROKEN (it cannot be processed and is set aside), CLOCK_SET_BACK (of no turn: all heads are checked again),
--       FAILED (it has waited for its model as long as it may), RESUMED (it is dispatched after a pause)
--
-- requires: advance_hold, advance_pause, dispatch, finish, heartbeats, is_hint_queued, lose_run, now_ms, own_limits
-- requires: pause_turn, process_due, read_record, remove_from_lists, restore_queue, serve_group, snapshot_counters
-- requires: transitions, update_capacity

local worker, limit, hint, hint_field, slots = unpack(ARGV, 1, 5)
local now = now_ms()
limit = tonumber(limit)
snapshot_counters(now)

local processed = {}
if follow_clock(now) then processed = {'', 'CLOCK_SET_BACK'} end
local leases_run_out_from = leases_can_run_out_from(now)

if worker ~= '' then redis.call('ZADD', KEY.workers, now, worker) end
if hint ~= '' and redis.call('HGET', KEY.service, hint_field) ~= hint then
  redis.call('HSET', KEY.service, hint_field, hint)
end
redis.call('ZREMRANGEBYSCORE', KEY.workers, '-inf', now - POLICY.worker_ttl_ms)
if worker ~= '' then update_capacity(worker, tonumber(slots), now) end

local function remove_expired(member)
  remove_from_lists(string.match(member, '^(.+)/(.+)$'))
end

local function rescue_turn(turn)
  local was = read_record(turn)
  if not AFTER[was.status] then
    redis.call('ZREM', KEY.due, turn)
    return 'GONE'
  end
  if was.status == 'in_progress' then
    if now < leases_run_out_from then
      redis.call('ZADD', KEY.due, leases_run_out_from, turn)
      return 'WAITING'
    end
    return lose_run(turn, was, now) and 'RESCUED' or 'LOST'
  end
  if was.paused_by then
    pause_turn(turn, was, was.paused_by, now)
    return 'WAITING'
  end
  if not was.retry_at and was.hinted_at and is_hint_queued(was.hinted_at, was.queue) then
    -- The interval grows, so that a long backlog is not checked more often than it moves.
    redis.call('ZADD', KEY.due, now + math.max(POLICY.hint_grace_ms, (now - was.hinted_at) / 2), turn)
    return 'WAITING'
  end
  redis.call('HDEL', KEY.turn .. turn, 'retry_at')
  local is_restored = restore_queue(turn, was.session)
  dispatch(turn, now, was)
  return is_restored and 'RESTORED' or 'DISPATCHED'
end

local function expire_turn(turn)
  local was = read_record(turn)
  local to = (AFTER[was.status] or {}).expire
  if not to then
    redis.call('ZREM', KEY.start_by, turn)
    return 'GONE'
  end
  finish(turn, was, to, 'expired', now, 'status_reason', 'expired')
  return 'EXPIRED'
end

local function report(turns, outcome)
  for _, turn in ipairs(turns) do processed[#processed + 1], processed[#processed + 2] = turn, outcome end
end

local function advance(name) report(advance_hold(name, now), 'FAILED') end
local function resume(part) report(advance_pause(part, limit, now), 'RESUMED') end
local function serve(name) serve_group(name, limit, now) end

end_own_limits(1, now, processed)  -- each may count all heads
process_due(KEY.expiring, remove_expired, 10 * limit, now, processed)
process_due(KEY.start_by, expire_turn, limit, now, processed)
process_due(KEY.due, rescue_turn, limit, now, processed)
process_due(KEY.crowded, serve, limit, now, processed)
process_due(KEY.holds, advance, limit, now, processed)
process_due(KEY.pauses, resume, limit, now, processed)
return processed

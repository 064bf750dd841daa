-- requires: append_usage, count, definitions, dispatch, end_events, release_slots, session_retention, settle_quota
-- requires: tenant_of, unanswered, write_ended_record

-- End a turn for good and let its session continue with the next one.
--
-- `was` is the record as read before, with `is_whole` if it has all fields as they are now. `reason` is the error code, or
-- the status reason, or ''. `...` are further fields of the record.
local function finish(turn, was, status, reason, now, ...)
  local session, key, queue, tenant = was.session, KEY.turn .. turn, KEY.queue .. was.session, tenant_of(was.session)
  local head, second = unpack(redis.call('LRANGE', queue, 0, 1))
  keep_unanswered(turn, was, status, reason, now)
  write_ended_record(key, was.is_whole and was, 'status', status, 'finished_at', now,
    'expires_at', now + POLICY.result_ttl_ms, ...)
  redis.call('ZADD', KEY.expiring, now + POLICY.result_ttl_ms, session .. '/' .. turn)
  end_events(turn, was, status)
  if was.idempotency then redis.call('PEXPIRE', KEY.idempotency .. was.idempotency, POLICY.result_ttl_ms) end
  if status == 'failed' then redis.call('ZADD', KEY.failed, now, tenant .. '/' .. turn) end
  if was.start_by then redis.call('ZREM', KEY.start_by, turn) end
  if was.status == 'queued' then redis.call('ZREM', KEY.waiting, turn) end
  if was.held_by then redis.call('ZREM', KEY.held .. was.held_by, turn) end
  if was.paused_by then redis.call('ZREM', KEY.paused .. was.paused_by, turn) end
  redis.call('ZREM', KEY.due, turn)
  redis.call('LREM', queue, 1, turn)
  release_definition(was.definition)
  append_usage(was, status, now)
  settle_quota(was, tenant, status)
  -- Completed turns are not counted here, because the buckets of their durations add up to their number.
  if status ~= 'completed' then count('ended|' .. status .. '|' .. reason) end
  redis.call('HINCRBY', KEY.service, 'live', -1)
  release_slots(turn, was, now)
  if was.standalone and status ~= 'failed' then redis.call('HDEL', key, 'past') end  -- only a retry needs it again
  if head ~= turn or dispatch_head(session, second, now) then
    redis.call('PUBLISH', KEY.live .. session, '')
  elseif not was.standalone or redis.call('EXISTS', KEY.session .. session) == 1 then
    start_session_retention(session, now)
  end
  redis.call('PUBLISH', KEY.ended, turn)
end

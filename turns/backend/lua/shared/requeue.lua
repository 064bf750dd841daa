-- requires: append_event, append_usage, transitions, waits

-- Add a run that ends without its turn to the record: claim number, attempt, worker, model, times, how it ended, and the
-- provider's id of its request, and the number of its last event. Only the last runs are kept, because a rate limit can cause many.
local MAX_RUNS = 20
local function record_run(turn, event, now, code, request_id, reset)
  local key = KEY.turn .. turn
  local run = redis.call('HMGET', key, 'claims', 'attempt', 'worker', 'model', 'started_at', 'first_token_at')
  for i = 1, 6 do run[i] = run[i] or '' end
  run[7], run[8], run[9], run[10] = tostring(now), event, code or '', request_id or ''
  run[11] = string.match(reset, '%d+$')
  local runs = cjson.decode(redis.call('HGET', key, 'runs') or '[]')
  if #runs == MAX_RUNS then table.remove(runs, 1) end
  runs[#runs + 1] = run
  redis.call('HSET', key, 'runs', cjson.encode(runs))
end

-- Queue a running turn again, at the head of its session, for another attempt. Its token is deleted, so that the worker
-- that ran it can write nothing more, and the text that it emitted is void.
local function requeue(turn, was, event, attempt, now, code, request_id)
  local to = AFTER.in_progress[event]
  local reset = append_event(turn, was, was.claims .. '-*', attempt, 'reset', event)
  record_run(turn, event, now, code, request_id, reset)
  end_wait(turn, was, now)  -- the silence of its run
  append_usage(was, event, now)
  redis.call('HSET', KEY.turn .. turn, 'status', to, 'attempt', attempt)
  redis.call('HDEL', KEY.turn .. turn, 'token', 'worker', 'first_token_at')
  append_event(turn, was, was.claims .. '-*', attempt, 'status', to)
end

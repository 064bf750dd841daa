-- How a run ends without its turn; loaded in front of every verb.

-- The run that ends here without its turn stands in the record: which claim and attempt it was, who ran it, with which
-- model, its times, how it ended. Only the last ones, because a rate limit can make many.
local MOST_RUNS = 20
local function remember_run(turn, event, now, code)
  local key = KEY.turn .. turn
  local run = redis.call('HMGET', key, 'claims', 'attempt', 'worker', 'model', 'started_at', 'first_token_at')
  for i = 1, 6 do run[i] = run[i] or '' end
  run[7], run[8], run[9] = tostring(now), event, code or ''
  local runs = cjson.decode(redis.call('HGET', key, 'runs') or '[]')
  if #runs == MOST_RUNS then table.remove(runs, 1) end
  runs[#runs + 1] = run
  redis.call('HSET', key, 'runs', cjson.encode(runs))
end

-- Puts a running turn back to the head of its session for another attempt. Its token is gone, so
-- whoever ran it can write nothing more, and what it has said is void.
local function requeue(turn, claims, event, attempt, now, code)
  local to = AFTER.in_progress[event]
  remember_run(turn, event, now, code)
  redis.call('HSET', KEY.turn .. turn, 'status', to, 'attempt', attempt)
  redis.call('HDEL', KEY.turn .. turn, 'token', 'worker', 'first_token_at')
  emit(turn, claims .. '-*', attempt, 'reset', event)
  emit(turn, claims .. '-*', attempt, 'status', to)
end

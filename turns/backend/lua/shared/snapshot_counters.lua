-- Copy all counters, and the numbers of live and waiting turns, into the stream of snapshots once a minute.
-- `turns/operations/time_series.py` computes the differences between snapshots, so that statistics over time cost a turn
-- nothing.
local function snapshot_counters(now)
  local id = math.floor(now / 60000) * 60000 .. '-0'
  if #redis.call('XRANGE', KEY.counter_snapshots, id, '+', 'COUNT', 1) > 0 then return end
  local copied = {
    'depth|live', redis.call('HGET', KEY.service, 'live') or 0,
    'depth|waiting', redis.call('ZCARD', KEY.waiting),
  }
  local counters = redis.call('HGETALL', KEY.metrics)
  for i = 1, #counters, 2 do
    if string.sub(counters[i], 1, 7) ~= 'tokens|' then  -- one field for each model; Lua could not unpack many of them
      copied[#copied + 1], copied[#copied + 2] = counters[i], counters[i + 1]
    end
  end
  redis.call('XADD', KEY.counter_snapshots, 'MINID', now - POLICY.snapshot_ttl_ms, id, 'noted_at', now, unpack(copied))
end

-- requires: count

-- Count the death of a worker once: that it vanished, or stopped sending heartbeats, whichever is noticed first.
local function count_death(worker)
  if redis.call('HDEL', KEY.worker_slots, worker) == 0 then return end
  count('deaths|' .. (string.match(worker, ':(chains)$') or 'loop'))
end

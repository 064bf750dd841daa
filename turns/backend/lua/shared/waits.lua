-- The record of a turn has the reasons for which it waited: in `waits` the last ones, each with its reason, from, until (ms)
-- and what it waited for, and in `open_wait` the present one, without an end. A turn that only waits for a worker has none.
local MAX_WAITS = 20

-- Add a wait whose end is known. One that continues the last one extends it.
local function add_wait(turn, reason, since, until_at, what)
  local key = KEY.turn .. turn
  local waits = cjson.decode(redis.call('HGET', key, 'waits') or '[]')
  local last = waits[#waits]
  if last and last[1] == reason and last[3] == tostring(since) and last[4] == what then
    last[3] = tostring(until_at)
  else
    if #waits == MAX_WAITS then table.remove(waits, 1) end
    waits[#waits + 1] = {reason, tostring(since), tostring(until_at), what}
  end
  redis.call('HSET', key, 'waits', cjson.encode(waits))
end

-- End the present wait of a turn, if there is one.
local function end_wait(turn, was, now)
  if not was.open_wait then return end
  local reason, since, what = unpack(cjson.decode(was.open_wait))
  add_wait(turn, reason, since, now, what)
  redis.call('HDEL', KEY.turn .. turn, 'open_wait')
  was.open_wait = nil
end

-- Record that a turn waits for this reason from now on, unless it does so already.
local function begin_wait(turn, was, reason, now, what)
  local open = was.open_wait and cjson.decode(was.open_wait)
  if open and open[1] == reason and open[3] == what then return end
  end_wait(turn, was, now)
  was.open_wait = cjson.encode({reason, tostring(now), what})
  redis.call('HSET', KEY.turn .. turn, 'open_wait', was.open_wait)
end

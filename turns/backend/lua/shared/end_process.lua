-- Record that a process has ended, and how. Its record remains for operators.
local function end_process(process, how, now)
  local key = KEY.process .. process
  if redis.call('EXISTS', key) == 0 or redis.call('HSETNX', key, 'ended_at', now) == 0 then return end
  redis.call('HSET', key, 'ended_by', how)
end

local function is_alive(holder, id)
  local kind, name = string.match(holder, '^(.)/(.+)$')
  if kind == 't' then return redis.call('EXISTS', KEY.turn .. name) == 1 end
  if kind == 'p' then return true end  -- another partition, which `return_files` removes
  return redis.call('HEXISTS', KEY.session .. name, 'file/' .. id) == 1
end

-- Return whether a turn or a session still refers to the file. Holders that have expired are removed on the way, at most
-- a thousand of them; then the file counts as held until the next check.
local function is_file_held(id)
  local key = KEY.file_holders .. id
  for _ = 1, 1000 do
    local holder = redis.call('SRANDMEMBER', key)
    if not holder then return false end
    if is_alive(holder, id) then return true end
    redis.call('SREM', key, holder)
  end
  return true
end

#!lua flags=allow-oom
-- adopt: Give an idle session, with its history and its turns, to another tenant.
--
-- The session moves at once, so that it never belongs to two tenants in part. One of a thousand turns takes the store 15 ms.
--
-- ARGV  1 session
--       2 its name in the other tenant
--       3 version of the file of its history, or ''
-- Reply ADOPTED       also when this script runs a second time with the version of a file
--       GONE          there is no such session, perhaps because this script runs a second time
--       SESSION_BUSY  it has live turns
--       NOT_EMPTY     the other tenant has a session of this name
--       LOST          its history has another version by now
--
-- requires: replayed, session_files, tenant_of, user_of

local session, adopted, version = unpack(ARGV, 1, 3)
local from, to, user = tenant_of(session), tenant_of(adopted), user_of(session)

local function count_keys(name)
  return redis.call('EXISTS', KEY.session .. name, KEY.history .. name, KEY.session_turns .. name, KEY.queue .. name)
end

-- Move a member of a sorted set to another set or another name, with its score.
local function move(index, member, other_index, other)
  local score = redis.call('ZSCORE', index, member)
  if not score then return end
  redis.call('ZREM', index, member)
  redis.call('ZADD', other_index, score, other)
end

-- Give the file of an adopted session or turn to the tenant that has adopted it.
local function adopt_file(id, tenant)
  local owner, size, owning = unpack(redis.call('HMGET', KEY.file .. id, 'tenant', 'size', 'session'))
  if not owner or owner == tenant then return end
  redis.call('HSET', KEY.file .. id, 'tenant', tenant)
  if owning == session then redis.call('HSET', KEY.file .. id, 'session', adopted) end
  redis.call('HINCRBY', KEY.file_bytes, tenant, size)
  if redis.call('HINCRBY', KEY.file_bytes, owner, -size) <= 0 then redis.call('HDEL', KEY.file_bytes, owner) end
end

if redis.call('EXISTS', KEY.queue .. session) == 1 then return {'SESSION_BUSY'} end
if count_keys(session) == 0 then
  -- With its version, the reply of the first run was lost and the client sent the command again.
  local is_repeated = version ~= '' and redis.call('HGET', KEY.session .. adopted, 'file') == version
  return is_repeated and replayed({'ADOPTED'}) or {'GONE'}
end
if count_keys(adopted) > 0 then return {'NOT_EMPTY'} end
if POLICY.history == 'file' and (redis.call('HGET', KEY.session .. session, 'file') or '') ~= version then
  return {'LOST'}
end

for _, family in ipairs({KEY.session, KEY.history, KEY.session_turns}) do
  if redis.call('EXISTS', family .. session) == 1 then redis.call('RENAME', family .. session, family .. adopted) end
end
for _, turn in ipairs(redis.call('ZRANGE', KEY.session_turns .. adopted, 0, -1)) do
  -- A key of another type, which the repair will set aside, must not stop a move that has begun.
  if redis.call('TYPE', KEY.turn .. turn).ok == 'hash' then
    redis.call('HSET', KEY.turn .. turn, 'session', adopted)
    for id in string.gmatch(redis.call('HGET', KEY.turn .. turn, 'files') or '', '%S+') do adopt_file(id, to) end
  end
  move(KEY.turns .. from, turn, KEY.turns .. to, turn)
  if user then move(KEY.user_turns .. user, turn, KEY.user_turns .. user_of(adopted), turn) end
  move(KEY.expiring, session .. '/' .. turn, KEY.expiring, adopted .. '/' .. turn)
  move(KEY.failed, from .. '/' .. turn, KEY.failed, to .. '/' .. turn)
end
for _, id in ipairs(session_files(adopted)) do
  adopt_file(id, to)
  redis.call('SREM', KEY.file_holders .. id, 's/' .. session)
  redis.call('SADD', KEY.file_holders .. id, 's/' .. adopted)
end
move(KEY.sessions .. from, session, KEY.sessions .. to, adopted)
move(KEY.user_sessions .. from, session, KEY.user_sessions .. to, adopted)
return {'ADOPTED'}

#!lua
-- patch_session: Change the title, labels, retention time of a session, or whether it is archived: all of it or nothing.
--
-- If the session is already as requested, this writes nothing, whatever its version: the request has perhaps been sent a
-- second time. There is no allow-oom here: when memory is full, Redis refuses the change.
--
-- ARGV  1 session
--       2 session_id
--       3 user_id, or ''
--       4 version that the session must have, or ''
--       5 JSON object with the fields to change: `title`; `metadata`, of which null removes an entry; `archived`;
--         `ttl_ms`, 0 for ever. A title null is that of the first message.
--       6 maximum number of entries of `metadata`
-- Reply FOUND, session    it is as requested; session: as `session_snapshot` returns it
--       GONE              there is no such session
--       SESSION_CHANGED   it has another version
--       TOO_MANY          it would have more labels than allowed
--
-- requires: publish_session_change, session_retention, session_snapshot, session_version

local session, session_id, user_id, version, encoded, max_labels = unpack(ARGV, 1, 6)
local key, changes = KEY.session .. session, cjson.decode(encoded)
if not session_snapshot(session) then return {'GONE'} end

local own_title, stored, archived, ttl_ms, known =
  unpack(redis.call('HMGET', key, 'own_title', 'metadata', 'archived', 'ttl_ms', 'session_id'))
local written, removed = {}, {}  -- fields of the record with new values, and those without

-- Change a field of the record if its value differs; without a value it is removed.
local function change(name, present, value)
  if (present or nil) == value then return end
  if value then
    written[#written + 1], written[#written + 2] = name, value
  else
    removed[#removed + 1] = name
  end
end

local function text_of(value)
  if value == nil or value == cjson.null then return nil end
  return value
end

if changes.title ~= nil then change('own_title', own_title, text_of(changes.title)) end
if changes.archived ~= nil then change('archived', archived, changes.archived and '1' or nil) end
if changes.ttl_ms then change('ttl_ms', ttl_ms, string.format('%d', changes.ttl_ms)) end
if changes.metadata then
  local labels, has_changed, count = cjson.decode(stored or '{}'), false, 0
  for name, value in pairs(changes.metadata) do
    if labels[name] ~= text_of(value) then labels[name], has_changed = text_of(value), true end
  end
  for _ in pairs(labels) do count = count + 1 end
  if count > tonumber(max_labels) then return {'TOO_MANY'} end
  if has_changed then change('metadata', stored, count > 0 and cjson.encode(labels) or nil) end
end
if #written + #removed == 0 then return {'FOUND', session_snapshot(session)} end
if version ~= '' and session_version(session) ~= tonumber(version) then return {'SESSION_CHANGED'} end

redis.call('HSET', key, 'session_id', session_id, 'user_id', user_id, unpack(written))
if #removed > 0 then redis.call('HDEL', key, unpack(removed)) end
publish_session_change(session, 'updated', nil, raise_version(session, 0))
-- Another program's session has no record until now, which must not stay longer than its history.
local is_busy = redis.call('EXISTS', KEY.queue .. session) == 1
if (changes.ttl_ms or not known) and not is_busy then limit_session(session) end
return {'FOUND', session_snapshot(session)}

#!lua flags=allow-oom
-- delete_turn: Delete an ended turn with its record, its events and its messages, which must be the last of an idle session.
--
-- ARGV  1 turn id
--       2 tenant
--       3 version of the file without the messages, or ''
--       4 number of messages in that file, or ''
-- Reply REMOVED       nothing of the turn is left (also when this script runs a second time, within an hour)
--       GONE          the tenant has no record of such a turn
--       SESSION_BUSY  the session has live turns
--       NOT_LAST      other messages come after those of the turn
--       LOST          the file does not have the messages that are left
--
-- requires: drop_files, history_numbers, now_ms, publish_session_change, remove_from_lists, replayed, session_version
-- requires: tenant_of, unanswered, uncommit_files

local turn, tenant, version, length = unpack(ARGV, 1, 4)
local key, deleted = KEY.turn .. turn, KEY.deleted .. turn
local session, messages, files, idempotency = unpack(redis.call('HMGET', key, 'session', 'messages', 'files', 'idempotency'))
if not session and redis.call('GET', deleted) == tenant then return replayed({'REMOVED'}) end
if not session or tenant_of(session) ~= tenant then return {'GONE'} end
if redis.call('EXISTS', KEY.queue .. session) == 1 then return {'SESSION_BUSY'} end
local first, last = parse_numbers(messages)
if first and not is_last_message(session, last, turn) then return {'NOT_LAST'} end
if first and POLICY.history == 'file' and tonumber(length) ~= first - 1 then return {'LOST'} end

local now = now_ms()
if first then
  local count = last - first + 1
  if POLICY.history == 'file' then
    redis.call('HSET', KEY.session .. session, 'messages', first - 1, 'file', version)
  else
    redis.call('LPOP', KEY.history .. session, count)
  end
  publish_session_change(session, 'message.deleted', turn, raise_version(session, count))
  if files then uncommit_files(files, session, now) end
end
if not first then remove_unanswered(session, turn) end
if files then drop_turn_files(files, turn, now) end
if idempotency then redis.call('UNLINK', KEY.idempotency .. idempotency) end
redis.call('UNLINK', key, KEY.events .. turn)
remove_from_lists(session, turn)
redis.call('SET', deleted, tenant, 'PX', POLICY.deleted_ttl_ms)
return {'REMOVED'}

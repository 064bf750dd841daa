#!lua
-- fork: Begin a session with the oldest messages of another one.
--
-- There is no allow-oom here: when memory is full, Redis refuses the fork before anything is written.
-- A fork counts as one turn in its tenant's rate, like an import. Live turns of the other session have no effect on it.
--
-- ARGV  1 session
--       2 session_id
--       3 user_id, or ''
--       4 session to fork
--       5 'through' or 'before' a turn; 'through' without a turn forks it with all messages
--       6 that turn, or ''
--       7 version of the file with the messages, or ''; without files a random token that tells calls apart
--       8 number of messages in that file, or ''
--       9 files to which these messages refer, as `begin_fork` expects them, or ''
-- Reply FORKED, session    it has the messages; session: as `session_snapshot` returns it
--       REPLAYED, session  it was forked like this before; it may have continued since then
--       GONE               there is no session to fork, or it has no record of the turn
--       NOT_COMMITTED      the turn has no messages in the history
--       NOT_EMPTY          the session exists with other messages or with live turns
--       LOST               the file does not have the messages that the fork has; they have changed meanwhile
--       PAUSED, TENANT_BACKLOG_FULL, RATE_LIMITED, ms, TOKENS_SPENT, ms  as in `accept`: the same limits apply
--
-- requires: begin_session, fork_session, is_paused, now_ms, quota, replayed, session_retention, session_snapshot
-- requires: tenant_of

local session, session_id, user_id, source, how, turn, version, length, files = unpack(ARGV, 1, 9)
local key, forked_from = KEY.session .. session, table.concat({source, how, turn}, ' ')

local known, known_version = unpack(redis.call('HMGET', key, 'forked_from', 'fork_version'))
if known == forked_from then
  -- With the same version, the reply of the first run was lost and the client sent the command again.
  return replayed({known_version == version and 'FORKED' or 'REPLAYED', session_snapshot(session)})
end
local now, tenant = now_ms(), tenant_of(session)
local refusal, count = fork_session_refusal(session, source, how, turn)
if refusal then return refusal end
if is_paused(redis.call('HGET', KEY.service, 'intake'), now) then return {'PAUSED'} end
refusal = quota_refusal(tenant, now)
if refusal then return refusal end
if POLICY.history == 'file' and count ~= tonumber(length) then return {'LOST'} end

begin_session(session, session_id, user_id, nil, now)
redis.call('HSET', key, 'fork_version', version)
begin_fork(session, source, forked_from, count, version, files)
advance_rate(tenant, now)
start_session_retention(session, now)
return {'FORKED', session_snapshot(session)}

-- requires: cut_text, tenant_of

-- With the `…`, the longest value with which Redis keeps the record of a session as one block, which takes half as much.
local MAX_TITLE_BYTES = 61

-- Return the beginning of the first line of a message as the title until the session is renamed.
local function title_of(text)
  local title, is_cut = cut_text(string.match(text or '', '%S[^\n]*') or '', MAX_TITLE_BYTES)
  return is_cut and title .. '…' or title
end

-- Create the session for its first turn, for imported messages or as a fork; without a title it is that of its first
-- turn. A session that exists, because it was imported or forked before its first turn, stays as it is.
local function begin_session(session, session_id, user_id, title, now)
  local key = KEY.session .. session
  if redis.call('HSETNX', key, 'created_at', now) == 1 then
    redis.call('HSET', key, 'session_id', session_id, 'user_id', user_id, unpack(title and {'title', title} or {}))
  elseif title then
    redis.call('HSETNX', key, 'title', title)
  end
  if user_id ~= '' then redis.call('ZADD', KEY.user_sessions .. tenant_of(session), 0, session) end
end

-- requires: cut_text, session_version

-- The record of a session keeps its last questions without an answer, so that they outlive the records of their turns. The
-- field `unanswered/<n>` is a JSON object, and `unanswered` the number of all of them so far: n is its remainder.

local MAX_UNANSWERED, MAX_QUESTION_BYTES = 20, 1000

-- Add the question of a turn that ends now, before its record is packed, if it ends without an answer. That of a turn which
-- was to replace another one's answer is left out, because that answer is still there. A turn without a session has none.
local function keep_unanswered(turn, was, status, reason, now)
  local is_expired = status == 'incomplete' and reason == 'expired'
  if was.replaces or was.standalone or not (status == 'failed' or status == 'cancelled' or is_expired) then return end
  local key = KEY.session .. was.session
  local question, is_cut = cut_text(redis.call('HGET', KEY.turn .. turn, 'input') or '', MAX_QUESTION_BYTES)
  local position = redis.call('HINCRBY', key, 'unanswered', 1) % MAX_UNANSWERED
  redis.call('HSET', key, 'unanswered/' .. position, cjson.encode({turn_id = turn, sequence = tonumber(was.sequence),
    after = count_messages(was.session) or 0, status = status, reason = reason, question = question, is_cut = is_cut,
    accepted_at = tonumber(was.accepted_at), finished_at = now}))
end

-- Remove the question of a turn that is deleted or asked again.
local function remove_unanswered(session, turn)
  local key, names = KEY.session .. session, {}
  for position = 0, MAX_UNANSWERED - 1 do names[#names + 1] = 'unanswered/' .. position end
  for i, kept in ipairs(redis.call('HMGET', key, unpack(names))) do
    if kept and cjson.decode(kept).turn_id == turn then redis.call('HDEL', key, names[i]) end
  end
end

#!lua flags=allow-oom
-- commit: Write a turn's whole effect at once: its messages, the answer, the status and the hint for the next turn.
--
-- A turn that stands alone has no history, so its messages are written nowhere.
-- allow-oom: the answer has been paid for and is never dropped because memory is full.
--
-- ARGV  1 turn id
--       2 token
--       3 question, the human message as stored
--       4 answer, the ai message as stored
--       5 the last piece of the answer, not yet in the event stream, or ''
--       6 what the run took, as `Spending.packed` composes it
--       7 number of messages between the question and the answer
--       8… those messages, as stored; then further fields of the record, as name, value, name, value; `text_end` is the
--         number of characters of the answer if the run has emitted all of them and nothing else, `files` those of the turn
--         with those of the answer; `texts` are question and answer compressed, instead of `output`
-- Reply COMMITTED  the turn took effect (also when this script runs a second time)
--       LOST       the token does not hold the turn: another claim holds it, or it has ended; or what it replaces is not
--                  at the end of the history any more, so it has failed
--
-- requires: admit, append_messages, by_name, commit_files, count_taken_over, end_events, files, finish, hold_name, now_ms
-- requires: replace, replayed, timings, transitions, unpack_record

local turn, token, question, answer, tail, spent, between = unpack(ARGV, 1, 7)
local was = unpack_record(by_name(redis.call('HGETALL', KEY.turn .. turn)))
if was.token ~= token then
  count_taken_over(turn, was.token, token)
  return {'LOST'}
end
if was.status == 'completed' then return replayed({'COMMITTED'}) end
local to = (AFTER[was.status] or {}).commit
if not to then return {'LOST'} end
local now, replaced = now_ms(), count_replaced(was)
if not replaced then
  was.spent = spent
  fail_not_last(turn, was, now)
  return {'LOST'}
end

-- This write comes first because it is the only one that can fail: another program may keep another type under the key.
local messages = {question}
for i = 8, 7 + between do messages[#messages + 1] = ARGV[i] end
messages[#messages + 1] = answer
local fields = {unpack(ARGV, 8 + between)}
local named = by_name(fields)
local files = named.files or was.files
if not was.standalone then
  fields[#fields + 1], fields[#fields + 2] = 'messages', append_messages(was.session, token, messages, replaced)
  if files then commit_files(files, was.session) end
  if replaced > 0 then mark_superseded(turn, was, replaced - #messages, now) end
end
if named.files then hold_files(named.files, turn) end
was.used_tokens, was.spent, was.text_end = string.match(named.usage or '', '^%d+,%d+,(%d+)'), spent, named.text_end
if tail ~= '' then
  emit_tail(turn, was, tail)
  if not was.first_token_at then
    observe_first_token(turn, was.started_at, now)
    was.first_token_at = now
  end
end
was.is_whole = true
finish(turn, was, to, '', now, unpack(fields))
if was.admitted_by == hold_name(was.provider, was.model) then confirm_answer(was.admitted_by, now) end

local took_ms = now - was.started_at
observe('duration', took_ms)

-- The recent duration of a turn: a moving average in which each new turn has a weight of one sixteenth.
local pace_ms = tonumber(redis.call('HGET', KEY.service, 'pace_ms') or took_ms)
redis.call('HSET', KEY.service, 'pace_ms', math.floor(pace_ms + (took_ms - pace_ms) / 16),
  'completed_at:' .. (was.provider and was.provider .. '/' or '') .. was.model, now)
return {'COMMITTED'}

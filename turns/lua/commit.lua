#!lua flags=allow-oom
-- commit: a turn's whole effect, at once: its messages, the answer, the status, the next turn's hint.
--
-- allow-oom: the answer is paid for, and is never thrown away for want of memory.
--
-- ARGV  1 turn id
--       2 token
--       3 question, the human message as stored
--       4 answer, the ai message as stored
--       5 the last piece of the answer, not yet in the event stream, or ''
--       6 how many messages came between the question and the answer
--       7… those, as stored; then further fields of the record, as name, value, name, value
-- Reply COMMITTED  the turn took effect (also when this script runs a second time)
--       LOST       the token is not the turn's: another owner has it, or it has ended

local turn, token, question, answer, tail, between = unpack(ARGV, 1, 6)
local rest = {unpack(ARGV, 7)}
local was = look_up(turn)
if was.token ~= token then
  if was.status then count('taken_over') end  -- this worker lived, and its lease did not
  return {'LOST'}
end
if was.status == 'completed' then return again({'COMMITTED'}) end
local to = (AFTER[was.status] or {}).commit
if not to then return {'LOST'} end

-- First, because it is the one write that can fail: somebody may keep another type under this key.
local messages = {question, unpack(rest, 1, between)}
messages[#messages + 1] = answer
add_messages(was.session, token, messages)
local now = now_ms()
if tail ~= '' then
  observe_piece(turn, emit(turn, was.claims .. '-*', was.attempt, 'delta', tail), was.started_at, now)
end
local fields = {unpack(rest, between + 1)}
local usage = cjson.decode(by_name(fields).usage or '{}')
was.used_tokens = usage.total_tokens
finish(turn, was, to, '', now, unpack(fields))

local took_ms = now - was.started_at
observe('duration', took_ms)
for _, kind in ipairs({'input', 'output'}) do
  local tokens = usage[kind .. '_tokens']
  if tokens then count('tokens|' .. kind .. '|' .. was.model, tokens) end
end

-- How long turns take lately: a moving average in which each new one counts a sixteenth.
local pace_ms = tonumber(redis.call('HGET', KEY.service, 'pace_ms') or took_ms)
redis.call('HSET', KEY.service, 'pace_ms', math.floor(pace_ms + (took_ms - pace_ms) / 16))
return {'COMMITTED'}

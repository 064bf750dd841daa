#!lua flags=allow-oom
-- interrupt: End a running turn that a newer one superseded, or its caller stopped; its partial answer is its effect.
--
-- ARGV  1 turn id
--       2 token
--       3 question, the human message as stored
--       4 partial answer, the ai message as stored, or '' if there is no text yet
--       5 the last piece of the answer, not yet in the event stream, or ''
--       6 partial answer as callers read it
--       7 what the run took, as `Spending.packed` composes it
--       8 number of characters of the partial answer if the run has emitted all of them and nothing else, or ''
-- Reply INTERRUPTED  the turn has ended (also when this script runs a second time)
--       LOST         the token does not hold the turn: another claim holds it, or it has ended; or what it replaces is
--                    not at the end of the history any more, so it has failed
--
-- requires: append_messages, commit_files, end_events, finish, now_ms, read_record, replace, replayed, transitions

local turn, token, question, answer, tail, output, spent, text_end = unpack(ARGV, 1, 8)
local was = read_record(turn)
if was.token ~= token then return {'LOST'} end
if was.status == 'incomplete' then return replayed({'INTERRUPTED'}) end
local to = (AFTER[was.status] or {}).interrupt
if not to then return {'LOST'} end
local now, replaced = now_ms(), count_replaced(was)
was.spent = spent
if not replaced then
  fail_not_last(turn, was, now)
  return {'LOST'}
end
local reason = redis.call('HGET', KEY.turn .. turn, 'superseded') == 'stopped' and 'stopped' or 'interrupted'
local fields = {'status_reason', reason, 'output', output}

-- This write comes first because it is the only one that can fail: another program may keep another type under the key.
-- Without a text, a turn that regenerates another one leaves the answer of that one in the history.
if not was.standalone and (answer ~= '' or replaced == 0) then
  local messages = {question, answer ~= '' and answer or nil}
  fields[5], fields[6] = 'messages', append_messages(was.session, token, messages, replaced)
  if was.files then commit_files(was.files, was.session) end
  if replaced > 0 then mark_superseded(turn, was, replaced - #messages, now) end
end
if text_end ~= '' then
  was.text_end, fields[#fields + 1], fields[#fields + 2] = text_end, 'text_end', text_end
end
if tail ~= '' then emit_tail(turn, was, tail) end
finish(turn, was, to, reason, now, unpack(fields))
return {'INTERRUPTED'}

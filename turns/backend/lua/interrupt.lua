#!lua flags=allow-oom
-- interrupt: End a running turn that a newer one superseded; its partial answer is its effect.
--
-- ARGV  1 turn id
--       2 token
--       3 question, the human message as stored
--       4 partial answer, the ai message as stored, or '' if there is no text yet
--       5 the last piece of the answer, not yet in the event stream, or ''
--       6 partial answer as callers read it
--       7 what the run took, as `Spending.packed` composes it
-- Reply INTERRUPTED  the turn has ended (also when this script runs a second time)
--       LOST         the token does not hold the turn: another claim holds it, or it has ended
--
-- requires: append_event, append_messages, finish, now_ms, read_record, replayed, transitions

local turn, token, question, answer, tail, output, spent = unpack(ARGV, 1, 7)
local was = read_record(turn)
if was.token ~= token then return {'LOST'} end
if was.status == 'incomplete' then return replayed({'INTERRUPTED'}) end
local to = (AFTER[was.status] or {}).interrupt
if not to then return {'LOST'} end

-- This write comes first because it is the only one that can fail: another program may keep another type under the key.
append_messages(was.session, token, {question, answer ~= '' and answer or nil})
if tail ~= '' then append_event(turn, was, was.claims .. '-*', was.attempt, 'delta', tail) end
was.spent = spent
finish(turn, was, to, 'interrupted', now_ms(), 'status_reason', 'interrupted', 'output', output)
return {'INTERRUPTED'}

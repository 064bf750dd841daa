#!lua flags=allow-oom
-- interrupt: ends a running turn that a newer one superseded; what was said so far is its effect.
--
-- ARGV  1 turn id
--       2 token
--       3 question, the human message as stored
--       4 answer so far, the ai message as stored, or '' when nothing was said yet
--       5 the last piece of the answer, not yet in the event stream, or ''
--       6 the answer so far as callers read it
-- Reply INTERRUPTED  the turn has ended (also when this script runs a second time)
--       LOST         the token is not the turn's: another owner has it, or it has ended

local turn, token, question, answer, tail, output = unpack(ARGV, 1, 6)
local was = look_up(turn)
if was.token ~= token then return {'LOST'} end
if was.status == 'incomplete' then return again({'INTERRUPTED'}) end
local to = (AFTER[was.status] or {}).interrupt
if not to then return {'LOST'} end

-- First, because it is the one write that can fail: somebody may keep another type under this key.
add_messages(was.session, token, {question, answer ~= '' and answer or nil})
if tail ~= '' then emit(turn, was.claims .. '-*', was.attempt, 'delta', tail) end
finish(turn, was, to, 'interrupted', now_ms(), 'status_reason', 'interrupted', 'output', output)
return {'INTERRUPTED'}

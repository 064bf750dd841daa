#!lua flags=allow-oom
-- cancel: End a live turn at once and without effect; a worker that runs it loses its lease.
--
-- If the turn is committed at the same moment, the script that runs first wins and the other one changes nothing.
--
-- ARGV  1 turn id
--       2 tenant
--       3 '1' to keep the question and the partial answer of a running turn, which then ends by `interrupt`
-- Reply SUPERSEDED  the turn will end with its partial answer
--       CANCELLED  the turn is cancelled
--       ENDED      the turn had already ended
--       GONE       the tenant has no such turn
--
-- requires: cancel_turn, now_ms, read_record, replayed, tenant_of, transitions

local turn, tenant, keeps = unpack(ARGV, 1, 3)
local was = read_record(turn)
if not was.session or tenant_of(was.session) ~= tenant then return {'GONE'} end
if not AFTER[was.status] then return replayed({'ENDED'}) end
if keeps == '1' and was.status == 'in_progress' then
  redis.call('HSET', KEY.turn .. turn, 'superseded', 'stopped')
  redis.call('PUBLISH', KEY.stopped, turn)
  return {'SUPERSEDED'}
end
cancel_turn(turn, was, now_ms())
return {'CANCELLED'}

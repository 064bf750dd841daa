#!lua flags=allow-oom
-- rescue_worker: Take running turns away from a worker that is known to be dead, before their leases run out.
--
-- It can be repeated, by any worker. If the worker is subscribed again, it lives and keeps its turns, unless an operator
-- takes them away because it is silent.
--
-- ARGV  1 worker
--       2 '1' to take them away also if the worker is subscribed, else '0'
--       3… turn ids
-- Reply turn id, outcome, turn id, outcome, …  outcome: RESCUED (it is queued again), LOST (likewise, but it has
--       lost too many workers and has failed), GONE (this worker does not run it). None if the worker lives
--
-- requires: lose_run, now_ms, read_record

local worker, is_forced = ARGV[1], ARGV[2] == '1'
local turns = {unpack(ARGV, 3)}
local processed, now = {}, now_ms()
if not is_forced and redis.call('PUBSUB', 'NUMSUB', KEY.connection .. worker)[2] > 0 then return processed end
for _, turn in ipairs(turns) do
  local was, outcome = read_record(turn), 'GONE'
  if was.status == 'in_progress' and redis.call('HGET', KEY.turn .. turn, 'worker') == worker then
    outcome = lose_run(turn, was, now) and 'RESCUED' or 'LOST'
  end
  processed[#processed + 1] = turn
  processed[#processed + 1] = outcome
end
return processed

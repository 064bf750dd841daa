#!lua flags=allow-oom
-- rescue_worker: Take running turns away from a worker that is known to be dead, before their leases run out.
--
-- ARGV  1 worker
--       2 the turn that ended the worker, or '' if that is unknown; then each of the turns counts a loss
--       3… turn ids
-- Reply turn id, outcome, turn id, outcome, …  outcome: RESCUED (it is queued again), LOST (likewise, but it has
--       lost too many workers and has failed), GONE (this worker does not run it)
--
-- requires: lose_run, now_ms, read_record

local worker, guilty, turns = ARGV[1], ARGV[2], {unpack(ARGV, 3)}
local processed, now = {}, now_ms()
for _, turn in ipairs(turns) do
  local was, outcome = read_record(turn), 'GONE'
  if was.status == 'in_progress' and redis.call('HGET', KEY.turn .. turn, 'worker') == worker then
    local counted = (guilty == '' or guilty == turn) and 1 or 0
    outcome = lose_run(turn, was, now, counted) and 'RESCUED' or 'LOST'
  end
  processed[#processed + 1] = turn
  processed[#processed + 1] = outcome
end
return processed

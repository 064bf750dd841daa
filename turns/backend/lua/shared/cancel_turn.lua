-- requires: finish, transitions

-- End a live turn without effect, and notify the worker that runs it, which has lost its lease.
local function cancel_turn(turn, was, now)
  finish(turn, was, AFTER[was.status].cancel, '', now)
  if was.status == 'in_progress' then redis.call('PUBLISH', KEY.stopped, turn) end
end

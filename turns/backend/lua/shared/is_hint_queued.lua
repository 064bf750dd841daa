-- requires: unpack_record

-- Return whether a hint that was sent at this time is still in the broker's list of this queue.
--
-- The list is first in, first out, so that a hint is still there exactly if the oldest hint there is not younger.
-- Without this check, a long backlog would be filled with needless second hints.
local function is_hint_queued(hinted_at, queue)
  local hints = queue and KEY.chain_hints or KEY.hints
  local oldest = redis.call('LINDEX', hints, -1)
  local other = oldest and string.match(oldest, POLICY.turn_id_pattern)
  if not other then return false end
  if redis.call('EXISTS', KEY.turn .. other) == 0 then  -- that turn was erased, so its hint has no time to compare with
    redis.call('RPOP', hints)
    return is_hint_queued(hinted_at, queue)
  end
  local other_hinted_at = read_fields(other, 'hinted_at').hinted_at
  return other_hinted_at and tonumber(hinted_at) >= tonumber(other_hinted_at)
end

-- requires: count, unpack_record

-- Count that a worker which is alive has lost this turn to another one, once for each run.
--
-- `token` is that of the run, `held` that of the record; a turn that was cancelled keeps its token. A turn without losses
-- was released or retried by this worker itself, whose renewal crossed that.
local function count_taken_over(turn, held, token)
  if held == token then return end
  local was = read_fields(turn, 'losses', 'taken_token', 'token')
  if not was.losses or was.taken_token == token or was.token == token then return end
  redis.call('HSET', KEY.turn .. turn, 'taken_token', token)
  count('taken_over')
end

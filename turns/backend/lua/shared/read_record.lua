-- requires: unpack_record

-- Read the fields that a verb needs in order to end a turn or a run, in one call for all of its steps.
local RECORD_FIELDS = {'session', 'status', 'token', 'claims', 'attempt', 'lane', 'queue', 'definition', 'start_by',
  'idempotency', 'reserved_tokens', 'is_counted', 'accepted_at', 'provider', 'model', 'started_at', 'hinted_at', 'retry_at',
  'retried_token', 'losses', 'assistant', 'concurrency', 'held_by', 'held_at', 'admitted_by', 'own_model',
  'open_wait', 'paused_by', 'resumed', 'provider_host', 'sequence', 'first_token_at', 'regenerates',
  'replaces', 'files', 'standalone', 'packed'}
local function read_record(turn)
  local values, record = redis.call('HMGET', KEY.turn .. turn, unpack(RECORD_FIELDS)), {}
  for i, name in ipairs(RECORD_FIELDS) do record[name] = values[i] or nil end
  return unpack_record(record)
end

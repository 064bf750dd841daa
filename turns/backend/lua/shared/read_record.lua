-- requires: unpack_record

-- Read the fields that a verb needs in order to end a turn or a run, in one call for all of its steps.
local RECORD_FIELDS = {'session', 'status', 'token', 'claims', 'attempt', 'lane', 'queue', 'definition', 'start_by',
  'idempotency', 'reserved_tokens', 'is_counted', 'accepted_at', 'provider', 'model', 'started_at', 'hinted_at', 'retry_at',
  'retried_token', 'losses', 'assistant', 'concurrency', 'held_by', 'held_at', 'admitted_by', 'own_model',
  'open_wait', 'paused_by', 'resumed', 'provider_host', 'sequence', 'first_token_at', 'regenerates',
  'replaces', 'files', 'standalone'}
local function read_record(turn)
  return read_fields(turn, unpack(RECORD_FIELDS))
end

-- Publish a change of a session that is not an event of a turn's stream, in the form of such an event.
--
-- `change` is 'accepted' with the turn and its sequence number, 'message.deleted' (its messages were deleted or replaced)
-- with the turn and what `raise_version` has returned, 'updated' likewise but without a turn, or 'erased'.
local function publish_session_change(session, change, turn, number)
  redis.call('PUBLISH', KEY.live .. session, table.concat({turn or '-', number or 0, '0-0', 1, change, ''}, ' '))
end

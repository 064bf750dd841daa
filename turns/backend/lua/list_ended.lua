#!lua flags=no-writes
-- list_ended: Return the turns of a tenant that ended after a time, in the order in which they ended.
--
-- The index has the ended turns of all tenants by the time at which their records expire. A page consists of whole
-- milliseconds, so that a time is a cursor, and without the present one, because more turns can end in it.
--
-- ARGV  1 tenant
--       2 time (ms) after which the turns ended
--       3 number of turns after which the page ends with the present millisecond
--       4 maximum number of entries to read
-- Reply FOUND, cursor, more, gap, turns  cursor: the time to which the page reaches; more: '1' if it was cut off; gap: '1'
--             if the time is before the period that is listed; turns: each as id, record, position, turn ahead, pace, as
--             `turn_snapshot` returns them
--
-- requires: now_ms, tenant_of, turn_snapshot

local tenant, after, limit, max_reads = unpack(ARGV, 1, 4)
local now, ttl = now_ms(), POLICY.result_ttl_ms
local first = now - POLICY.feed_ms
local gap = tonumber(after) < first
limit, max_reads = tonumber(limit), tonumber(max_reads)
after = math.min(math.max(tonumber(after), first), now - 1)

local entries = redis.call('ZRANGE', KEY.expiring, '(' .. after + ttl, '(' .. now + ttl, 'BYSCORE', 'LIMIT', 0, max_reads,
  'WITHSCORES')
local is_cut = #entries == 2 * max_reads and max_reads > 0
local last = is_cut and entries[#entries]  -- its millisecond may be incomplete
if is_cut and entries[2] == last then  -- and is the only one, so read it alone
  entries = redis.call('ZRANGE', KEY.expiring, last, last, 'BYSCORE', 'WITHSCORES')
  last = nil
end
local found, cursor = {}, is_cut and tonumber(entries[2]) or now - 1 + ttl
for i = 1, #entries, 2 do
  local session, turn = string.match(entries[i], '^(.+)/(.+)$')
  local score = entries[i + 1]
  if score == last or #found >= limit and score ~= entries[i - 1] then
    is_cut, cursor = true, tonumber(entries[i - 1] or score)
    break
  end
  if tenant_of(session) == tenant and redis.call('EXISTS', KEY.turn .. turn) == 1 then
    found[#found + 1] = turn_snapshot(turn, turn)
  end
end
return {'FOUND', string.format('%d', cursor - ttl), is_cut and '1' or '0', gap and '1' or '0', found}

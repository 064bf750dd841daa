-- Add to a counter. All counters are fields of one hash, which `turns/store/metrics.py` reads.
--
-- A field is the name of a metric and its labels, joined by `|`; a timing also has its bucket (ms) or `sum`.
local function count(field, by)
  redis.call('HINCRBY', KEY.metrics, field, by or 1)
end

#!lua flags=allow-oom
-- count_refusals: Add to the counters of refused turns.
--
-- allow-oom: a full store is one of the reasons to refuse turns.
--
-- ARGV  code, number of turns, code, number of turns, …
-- Reply COUNTED
--
-- requires: count

for i = 1, #ARGV, 2 do count('refused|' .. ARGV[i], ARGV[i + 1]) end
return {'COUNTED'}

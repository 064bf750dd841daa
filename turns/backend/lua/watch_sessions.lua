#!lua flags=allow-oom
-- watch_sessions: Let `accept` publish each new turn for a while, because a session has a reader.
--
-- ARGV  1 time in milliseconds
-- Reply RECORDED
--
-- requires: now_ms

redis.call('HSET', KEY.service, 'watched_until', now_ms() + ARGV[1])
return {'RECORDED'}

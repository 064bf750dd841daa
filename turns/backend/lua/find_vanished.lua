#!lua flags=no-writes
-- find_vanished: Return the registered workers whose subscription has ended.
--
-- Redis ends a subscription when the connection closes, which the kernel of a killed worker does at once.
--
-- ARGV  1 worker that asks. Unless it is subscribed itself, the store or the network was interrupted, and it finds none
-- Reply FOUND, number of registered workers, vanished worker, vanished worker, …

local asking, workers = ARGV[1], redis.call('SMEMBERS', KEY.connected)
if #workers == 0 then return {'FOUND', 0} end
local channels, vanished, is_connected = {}, {'FOUND', #workers}, false
for i, worker in ipairs(workers) do channels[i] = KEY.connection .. worker end
local subscribers = redis.call('PUBSUB', 'NUMSUB', unpack(channels))
for i, worker in ipairs(workers) do
  if subscribers[2 * i] == 0 then
    vanished[#vanished + 1] = worker
  elseif worker == asking then
    is_connected = true
  end
end
return is_connected and vanished or {'FOUND', #workers}

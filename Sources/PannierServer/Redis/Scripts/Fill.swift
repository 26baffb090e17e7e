// Fills, in Lua: values that a load brought, kept out where their key was changed since. Only those under a fleet lease
// are recorded.

extension RedisScript {
  /// Stores a loaded value unless its slot was touched after its birth; under a fleet lease, only for who holds it.
  ///
  /// KEYS: floor, log, the value's name, and the fleet lease's where the fill is under one.
  /// ARGV: E, `log_records`, boot id, op, namespace, the birth's n, slot, key, lifetime in milliseconds, envelope (with
  /// its birth), and the lease's token where there is a lease.
  ///
  /// Reply: `["STORED", n]`, n being the record `filled` of a fill under a lease, else 0; `["REFUSED", floor]` with the
  /// slot's floor, the lease still standing; `["LOST", 0]`: another token holds the lease, or none. `GAP`, `OOM`.
  package static let fill = RedisScript(
    name: "fill",
    text: #"""
      local floor, value, lease = KEYS[1], KEYS[3], KEYS[4]
      local incarnation, slot = ARGV[1], ARGV[7]
      local known = redis.call('HMGET', floor, 'E', 'n', slot)
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end

      local touched = tonumber(known[3] or 0)
      if touched > tonumber(ARGV[6]) then return {'REFUSED', touched} end
      if lease and redis.call('GET', lease) ~= ARGV[11] then return {'LOST', 0} end
      local first = redis.pcall('SET', value, ARGV[10], 'PX', ARGV[9])
      if first.err then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      if not lease then return {'STORED', 0} end

      local n = tonumber(known[2]) + 1
      redis.call('DEL', lease)
      redis.call('HSET', floor, 'n', n)
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], incarnation .. '-' .. string.format('%.0f', n),
        'k', 'filled', 'ns', ARGV[5], 'h', ARGV[3], 'o', ARGV[4], 'key', ARGV[8])
      return {'STORED', n}
      """#)
}

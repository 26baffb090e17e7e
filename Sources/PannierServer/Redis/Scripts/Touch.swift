// A new lifetime for a value that stands, in Lua, written over the old one in place. It doesn't read the payload.

extension RedisScript {
  /// Gives a value a new lifetime if it is exactly the one the host has read. Its birth becomes the record's n, which
  /// is why a clear that the host hasn't seen forbids it: what that covers would be valid again. Passes when Redis is
  /// full.
  ///
  /// KEYS: floor, log, hosts, the value's name.
  /// ARGV: E, `log_records`, boot id, op, namespace, number of the command connection, the host's `seen`, slot, key,
  /// the first 48 bytes of what was read (up to the soft flag, 0), lifetime in milliseconds, the envelope's 63 bytes of
  /// times.
  ///
  /// Reply: `["TOUCHED", n]`, or `["CHANGED", n]` with the newest n, as for `setIf`. `GAP`, `FENCED`.
  package static let touch = RedisScript(
    name: "touch",
    text: #"""
      local floor, value = KEYS[1], KEYS[4]
      local incarnation, ns, seen, slot = ARGV[1], ARGV[5], tonumber(ARGV[7]), ARGV[8]
      local known = redis.call('HMGET', floor, 'E', 'n', '~', '~' .. ns)
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end
      if redis.call('HGET', KEYS[3], ARGV[3]) ~= ARGV[6] then
        return redis.error_reply('FENCED this connection is not the registered one')
      end

      local standing = redis.pcall('GETRANGE', value, 0, 47)
      local n = tonumber(known[2])
      if standing ~= ARGV[10] or #ARGV[10] ~= 48
        or tonumber(known[3] or 0) > seen or tonumber(known[4] or 0) > seen then
        return {'CHANGED', n}
      end
      n = n + 1
      -- Not able to grow, and so the first write.
      local first = redis.pcall('PEXPIRE', value, ARGV[11])
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end

      local id = incarnation .. '-' .. string.format('%.0f', n)
      redis.call('HSET', floor, 'n', n, slot, n)
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], id,
        'k', 'touch', 'ns', ns, 'h', ARGV[3], 'o', ARGV[4], 'key', ARGV[9])
      redis.call('SETRANGE', value, 57, string.format('%-39s', '"' .. id .. '"') .. ARGV[12])
      return {'TOUCHED', n}
      """#)
}

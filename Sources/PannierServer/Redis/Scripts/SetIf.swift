// Conditional sets, in Lua. Whether the condition holds was the host's decision; here only that what it saw still
// stands.

extension RedisScript {
  /// Stores a value if what stands there is exactly what the host has read.
  ///
  /// KEYS: floor, log, hosts, the value's name, and the fleet lease's, if any; a lease ends.
  /// ARGV: E, `log_records`, boot id, op, namespace, number of the command connection, the host's `seen`, slot, key,
  /// the first 39 bytes of what was read (all of it where it is shorter; empty: nothing), lifetime in milliseconds,
  /// envelope.
  ///
  /// Reply: `["STORED", n]`, or `["CHANGED", n]` with the newest n: something else stands there, or a clear has come
  /// that the host hasn't seen; it must read again. `GAP`, `FENCED`, `OOM`.
  package static let setIf = RedisScript(
    name: "setIf",
    text: #"""
      local floor, value = KEYS[1], KEYS[4]
      local incarnation, ns, seen, slot = ARGV[1], ARGV[5], tonumber(ARGV[7]), ARGV[8]
      local known = redis.call('HMGET', floor, 'E', 'n', '~', '~' .. ns)
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end
      if redis.call('HGET', KEYS[3], ARGV[3]) ~= ARGV[6] then
        return redis.error_reply('FENCED this connection is not the registered one')
      end

      local standing = redis.pcall('GETRANGE', value, 0, 38)
      -- What is no string is nothing to a host, and is replaced.
      if type(standing) == 'table' then standing = '' end
      local n = tonumber(known[2])
      if standing ~= ARGV[10] or tonumber(known[3] or 0) > seen or tonumber(known[4] or 0) > seen then
        return {'CHANGED', n}
      end
      n = n + 1
      local first = redis.pcall('HSET', floor, 'n', n, slot, n)
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end

      local id = incarnation .. '-' .. string.format('%.0f', n)
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], id,
        'k', 'set', 'ns', ns, 'h', ARGV[3], 'o', ARGV[4], 'key', ARGV[9])
      redis.call('SET', value, ARGV[12], 'PX', ARGV[11])
      redis.call('SETRANGE', value, 57, string.format('%-39s', '"' .. id .. '"'))
      if KEYS[5] then redis.call('DEL', KEYS[5]) end
      return {'STORED', n}
      """#)
}

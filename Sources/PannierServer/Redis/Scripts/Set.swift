// Plain sets, in Lua: values and their record in one step, or, where a guard fails, a delete. It looks into no value.

extension RedisScript {
  /// Stores up to 128 values of one namespace; their births are written into them here, since only here n is known.
  ///
  /// KEYS: floor, log, hosts, then the names of the k values, then those of fleet leases, if any; leases end.
  /// ARGV: E, `log_records`, boot id, op, namespace, number of the command connection, guard (an n; empty: none), k,
  /// the k slots, the k keys, the k lifetimes in milliseconds, the k envelopes.
  ///
  /// Reply: `["STORED", n]`, or `["CONFLICT", n]`: something above the guard has touched a slot, the namespace or all,
  /// and all k keys were deleted instead, by the record n. `GAP`, `FENCED`, `OOM` (a `CONFLICT` passes when Redis is
  /// full).
  package static let set = RedisScript(
    name: "set",
    text: #"""
      local floor = KEYS[1]
      local incarnation, ns, guard, count = ARGV[1], ARGV[5], tonumber(ARGV[7]), tonumber(ARGV[8])
      local slots, keys, lifetimes, values = 8, 8 + count, 8 + 2 * count, 8 + 3 * count
      local known = redis.call('HMGET', floor, 'E', 'n', '~', '~' .. ns, unpack(ARGV, slots + 1, slots + count))
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end
      if redis.call('HGET', KEYS[3], ARGV[3]) ~= ARGV[6] then
        return redis.error_reply('FENCED this connection is not the registered one')
      end

      local kind = 'set'
      if guard then
        for i = 3, 4 + count do
          if known[i] and tonumber(known[i]) > guard then kind = 'del' end
        end
      end
      local n = tonumber(known[2]) + 1
      local floors, record = {}, {}
      for i = 1, count do
        floors[2 * i - 1], floors[2 * i] = ARGV[slots + i], n
        record[2 * i - 1], record[2 * i] = 'key', ARGV[keys + i]
      end
      local first
      if kind == 'del' then first = redis.pcall('DEL', unpack(KEYS, 4)) end
      if type(first) ~= 'table' then first = redis.pcall('HSET', floor, 'n', n, unpack(floors)) end
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end

      local id = incarnation .. '-' .. string.format('%.0f', n)
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], id,
        'k', kind, 'ns', ns, 'h', ARGV[3], 'o', ARGV[4], unpack(record))
      if kind == 'del' then return {'CONFLICT', n} end
      local birth = string.format('%-39s', '"' .. id .. '"')
      for i = 1, count do
        redis.call('SET', KEYS[3 + i], ARGV[values + i], 'PX', ARGV[lifetimes + i])
        redis.call('SETRANGE', KEYS[3 + i], 57, birth)
      end
      if #KEYS > 3 + count then redis.call('DEL', unpack(KEYS, 4 + count)) end
      return {'STORED', n}
      """#)
}

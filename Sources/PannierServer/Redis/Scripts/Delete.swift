// Deleting keys, in Lua: the values go and the record is written in one step.

extension RedisScript {
  /// Deletes up to 128 keys of one namespace. Passes when Redis is full.
  ///
  /// KEYS: floor, log, then the names of the k values, then those of fleet leases, if any.
  /// ARGV: E, `log_records`, boot id, op, namespace, k, the k slots, the k keys.
  ///
  /// Reply: `[n, count]`: the record's n, and how many of the values were there. `GAP`.
  package static let delete = RedisScript(
    name: "delete",
    text: #"""
      local incarnation, count = ARGV[1], tonumber(ARGV[6])
      local known = redis.call('HMGET', KEYS[1], 'E', 'n')
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end

      local first = redis.pcall('DEL', unpack(KEYS, 3, 2 + count))
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      local n = tonumber(known[2]) + 1
      local floors, record = {}, {}
      for i = 1, count do
        floors[2 * i - 1], floors[2 * i] = ARGV[6 + i], n
        record[2 * i - 1], record[2 * i] = 'key', ARGV[6 + count + i]
      end
      redis.call('HSET', KEYS[1], 'n', n, unpack(floors))
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], incarnation .. '-' .. string.format('%.0f', n),
        'k', 'del', 'ns', ARGV[5], 'h', ARGV[3], 'o', ARGV[4], unpack(record))
      if #KEYS > 2 + count then redis.call('DEL', unpack(KEYS, 3 + count)) end
      return {n, first}
      """#)
}

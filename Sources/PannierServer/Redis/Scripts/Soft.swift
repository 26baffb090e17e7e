// Marking keys stale, in Lua: one byte of each value, and the record. Where that byte stands is the envelope's matter.

extension RedisScript {
  /// Marks up to 128 keys of one namespace stale, where they stand, without reading them whole. Passes when Redis is
  /// full.
  ///
  /// KEYS: floor, log, then the names of the k values, then those of fleet leases, if any; leases end.
  /// ARGV: E, `log_records`, boot id, op, namespace, k, the k slots, the k keys.
  ///
  /// Reply: the record's n, an integer. `GAP`. What doesn't begin as an envelope does is left alone.
  package static let soft = RedisScript(
    name: "soft",
    text: #"""
      local incarnation, count = ARGV[1], tonumber(ARGV[6])
      local known = redis.call('HMGET', KEYS[1], 'E', 'n')
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end

      local first
      if #KEYS > 2 + count then
        first = redis.pcall('DEL', unpack(KEYS, 3 + count))
      else
        -- Removes nothing; a script whose first write can't grow may write on when Redis is full.
        first = redis.pcall('HDEL', KEYS[1], '-')
      end
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      local n = tonumber(known[2]) + 1
      local floors, record = {}, {}
      for i = 1, count do
        floors[2 * i - 1], floors[2 * i] = ARGV[6 + i], n
        record[2 * i - 1], record[2 * i] = 'key', ARGV[6 + count + i]
        local front = redis.pcall('GETRANGE', KEYS[2 + i], 0, 47)
        if type(front) == 'string' and string.find(front, '^{"pannier":1,.*,"soft":0$') then
          redis.call('SETRANGE', KEYS[2 + i], 47, '1')
        end
      end
      redis.call('HSET', KEYS[1], 'n', n, unpack(floors))
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], incarnation .. '-' .. string.format('%.0f', n),
        'k', 'soft', 'ns', ARGV[5], 'h', ARGV[3], 'o', ARGV[4], unpack(record))
      return n
      """#)
}

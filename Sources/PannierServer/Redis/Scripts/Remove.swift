// Removing values that a walk has found void, in Lua, if they still stand. It decides nothing, and makes no record: to
// every reader they are gone already.

extension RedisScript {
  /// Removes those of up to 128 values that are exactly what the host has read. Passes when Redis is full.
  ///
  /// KEYS: floor, then the names of the k values.
  /// ARGV: E, `log_records`, boot id, op, namespace, the first 96 bytes of each of the k values as read (up to its birth).
  ///
  /// Reply: how many were removed. `GAP`: in another incarnation numbers may have begun anew, and a value that the host
  /// took for old be new.
  ///
  /// The birth alone would not do: a fill may have the birth of what it replaces, and no tag that was cleared. But it has
  /// another version.
  package static let remove = RedisScript(
    name: "remove",
    text: #"""
      local known = redis.call('HMGET', KEYS[1], 'E', 'n')
      if known[1] ~= ARGV[1] or not known[2] then return redis.error_reply('GAP another incarnation') end

      local void = {}
      for i = 2, #KEYS do
        local standing = redis.pcall('GETRANGE', KEYS[i], 0, 95)
        if standing == ARGV[4 + i] and #standing == 96 then void[#void + 1] = KEYS[i] end
      end
      if #void == 0 then return 0 end
      -- UNLINK frees large ones on another thread of Redis's.
      local count = redis.pcall('UNLINK', unpack(void))
      if type(count) == 'table' then return {err = string.match(count.err, '%u%u+ .*') or count.err} end
      return count
      """#)
}

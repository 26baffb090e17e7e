// The right to load a key, for all hosts, in Lua: claimed, and given back. It looks into no value.

extension RedisScript {
  /// Claims the load of a key for so long at most, unless another has it or there is a pause. A clear of anything in the namespace ends
  /// a pause: which keys it takes in isn't known here.
  ///
  /// KEYS: floor, hosts, the lease's name.
  /// ARGV: E, boot id, number of the command connection, namespace, the token, milliseconds.
  ///
  /// Reply: `["WON", 0, n]`; `["HELD", ms, n]`: another token has it, for so long; `["FAILED", ms, n]`, `["PASSED", ms, n]`: there is a
  /// pause for so long. n is the last record's: what comes later may have ended what is said here. `GAP`, `OOM`; `FENCED`: the claim of a connection that has a successor would be nobody's.
  package static let claim = RedisScript(
    name: "claim",
    text: #"""
      local lease = KEYS[3]
      local known = redis.call('HMGET', KEYS[1], 'E', 'n', '~', '~' .. ARGV[4])
      if known[1] ~= ARGV[1] or not known[2] then return redis.error_reply('GAP another incarnation') end
      if redis.call('HGET', KEYS[2], ARGV[2]) ~= ARGV[3] then
        return redis.error_reply('FENCED this connection is not the registered one')
      end

      local n = tonumber(known[2])
      local standing = redis.call('GET', lease)
      if standing then
        local pause, born, since = string.match(standing, '^!(%a+) (%d+) (%d+)$')
        if not pause then return {'HELD', redis.call('PTTL', lease), n} end
        -- Of another incarnation no number tells what came after it.
        local cleared = math.max(tonumber(known[3] or 0), tonumber(known[4] or 0))
        if born == ARGV[1] and cleared <= tonumber(since) then
          return {string.upper(pause), redis.call('PTTL', lease), n}
        end
      end
      local first = redis.pcall('SET', lease, ARGV[5], 'PX', ARGV[6])
      if first.err then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      return {'WON', 0, n}
      """#)

  /// Gives a load back, and tells all hosts. Passes when Redis is full.
  ///
  /// KEYS: floor, log, the lease's name.
  /// ARGV: E, `log_records`, boot id, op, namespace, key, the token, why nobody is to load it for a while (`failed` or `passed`; empty:
  /// whoever wants may at once), and for how many milliseconds.
  ///
  /// Reply: n of the record `filled`, or 0: another token has it, or none. `GAP`.
  package static let release = RedisScript(
    name: "release",
    text: #"""
      local floor, lease = KEYS[1], KEYS[3]
      local incarnation, pause = ARGV[1], ARGV[8]
      local known = redis.call('HMGET', floor, 'E', 'n')
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end

      if redis.call('GET', lease) ~= ARGV[7] then return 0 end
      local first = redis.pcall('DEL', lease)
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      local n = tonumber(known[2]) + 1
      local number = string.format('%.0f', n)
      if pause ~= '' then redis.call('SET', lease, '!' .. pause .. ' ' .. incarnation .. ' ' .. number, 'PX', ARGV[9]) end
      redis.call('HSET', floor, 'n', n)
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], incarnation .. '-' .. number,
        'k', 'filled', 'ns', ARGV[5], 'h', ARGV[3], 'o', ARGV[4], 'key', ARGV[6])
      return n
      """#)
}

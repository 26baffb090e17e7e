// Clears of groups, in Lua, and the bounds of the group table. It touches no value: what it covers is void by its
// birth.

extension RedisScript {
  /// Clears a namespace, or what fits a glob or bears tags there. Passes when Redis is full.
  ///
  /// KEYS: floor, log, the namespace's group table.
  /// ARGV: E, `log_records`, boot id, op, namespace (empty: all), kind (`clear` or `softclear`), scope (`all`, `match`
  /// or `tags`), then the glob or the tags.
  ///
  /// Reply: the record's n, an integer. `GAP`.
  ///
  /// The table is a sorted set. Its members: `all`, `m:` and a glob, `t:` and a tag, `F` for the tags that were folded;
  /// for soft clears the same behind `s:`. Scores: n for tags, -n for everything else, so that either bound is a count
  /// of one side, and the oldest of either stands next to zero. Above 64 globs the oldest becomes a clear of all as old
  /// as it, above 16,384 tags the oldest goes into `F`. A hard clear of all leaves nothing else in the table.
  package static let clear = RedisScript(
    name: "clear",
    text: #"""
      local floor, groups = KEYS[1], KEYS[3]
      local incarnation, ns, scope = ARGV[1], ARGV[5], ARGV[7]
      local known = redis.call('HMGET', floor, 'E', 'n', '~' .. ns)
      if known[1] ~= incarnation or not known[2] then return redis.error_reply('GAP another incarnation') end

      local soft = ARGV[6] == 'softclear' and 's:' or ''
      local first
      -- A table that the floor doesn't know of is an older incarnation's.
      if not known[3] or (scope == 'all' and soft == '') then
        first = redis.pcall('DEL', groups)
      else
        -- Removes nothing; a script whose first write can't grow may write on when Redis is full.
        first = redis.pcall('HDEL', floor, '-')
      end
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end
      local n = tonumber(known[2]) + 1
      redis.call('HSET', floor, 'n', n, '~' .. ns, n)

      local record = {'g', scope}
      if scope == 'all' then
        redis.call('ZADD', groups, -n, soft .. 'all')
      elseif scope == 'match' then
        record[3], record[4] = 'm', ARGV[8]
        redis.call('ZADD', groups, -n, soft .. 'm:' .. ARGV[8])
        if redis.call('ZCOUNT', groups, '-inf', '(0') > 64 then
          local newest_first = redis.call('ZRANGEBYSCORE', groups, '-inf', '(0', 'WITHSCORES')
          local matches = 0
          for i = 1, #newest_first, 2 do
            local member = newest_first[i]
            if string.find(member, '^m:') or string.find(member, '^s:m:') then
              matches = matches + 1
              if matches > 64 then
                redis.call('ZREM', groups, member)
                local all = string.sub(member, 1, 2) == 's:' and 's:all' or 'all'
                redis.call('ZADD', groups, 'LT', newest_first[i + 1], all)
              end
            end
          end
        end
      else
        local added = {}
        for i = 8, #ARGV do
          record[#record + 1], record[#record + 2] = 't', ARGV[i]
          added[#added + 1], added[#added + 2] = n, soft .. 't:' .. ARGV[i]
        end
        redis.call('ZADD', groups, unpack(added))
        local over = redis.call('ZCOUNT', groups, '(0', '+inf') - 16384
        if over > 0 then
          local oldest = redis.call('ZRANGEBYSCORE', groups, '(0', '+inf', 'WITHSCORES', 'LIMIT', 0, over)
          for i = 1, #oldest, 2 do
            redis.call('ZREM', groups, oldest[i])
            local folded = string.sub(oldest[i], 1, 2) == 's:' and 's:F' or 'F'
            redis.call('ZADD', groups, '-' .. oldest[i + 1], folded)
          end
        end
      end
      redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[2], incarnation .. '-' .. string.format('%.0f', n),
        'k', ARGV[6], 'ns', ns, 'h', ARGV[3], 'o', ARGV[4], unpack(record))
      return n
      """#)
}

// The first step of each connection, in Lua. It owns when there is a new incarnation, and how what was lost is made
// known.

extension RedisScript {
  /// Takes part: learns E and n, or begins what was lost anew.
  ///
  /// KEYS: floor, log, hosts, then the group table of each namespace named.
  /// ARGV: the server's run_id, boot id, number of the command connection (empty: this is none, or it is registered),
  /// the E that the caller knows (`0`: none), `log_records`, whether it wants the tables in any case (`1`, or empty),
  /// then the namespaces; an empty one stands for all.
  ///
  /// Reply: `[E, base, n, table…]`, E and base as text, n an integer, and for each namespace its table as a flat list
  /// `[group, score, …]` (see `clear`); without the tables where E is the one the caller knows, unless it wants them: a
  /// full one takes Redis 20 ms. `FENCED`: a later connection of this boot has registered.
  ///
  /// A new incarnation is above every one known, to the caller, the floor or the log, and above Redis's clock in
  /// microseconds. It begins where the floor is lost, with n = 0 and without groups, and where another server answers
  /// than before, with n going on.
  /// - The log doesn't end with E-n: it was lost, so a record `open` makes a hole for those who hadn't read it all.
  /// - A table is lost that the floor says was there: a clear of the namespace takes its place. A table that the floor
  ///   knows nothing of is an older incarnation's.
  ///
  /// Joining again changes nothing: it is also how a host learns the table of one more namespace.
  package static let join = RedisScript(
    name: "join",
    text: #"""
      local floor, log, hosts = KEYS[1], KEYS[2], KEYS[3]
      local run, boot, connection, known, records = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
      local tables, first_namespace = 4, 7

      -- Decimal text of any length: of two, the longer is the greater.
      local function greater(a, b)
        if #a ~= #b then return #a > #b and a or b end
        return a > b and a or b
      end
      local function after(number)
        local front, nines = string.match(number, '^(.-)(9*)$')
        local zeros = string.rep('0', #nines)
        if front == '' then return '1' .. zeros end
        return string.sub(front, 1, -2) .. (tonumber(string.sub(front, -1)) + 1) .. zeros
      end

      if connection ~= '' then
        local registered = redis.call('HGET', hosts, boot)
        if registered and tonumber(registered) > tonumber(connection) then
          return redis.error_reply('FENCED a later connection of this host has joined')
        end
      end
      -- Removes nothing; a script whose first write can't grow may write on when Redis is full.
      local first = redis.pcall('HDEL', floor, '-')
      if type(first) == 'table' then return {err = string.match(first.err, '%u%u+ .*') or first.err} end

      local found = redis.call('HMGET', floor, 'E', 'base', 'run', 'n')
      local incarnation, base, n = found[1], found[2], tonumber(found[4] or nil)
      local last = '0-0'
      local stream = redis.pcall('XINFO', 'STREAM', log)
      for i = 1, #stream, 2 do
        if stream[i] == 'last-generated-id' then last = stream[i + 1] end
      end

      local function write(kind, ...)
        n = n + 1
        local id = incarnation .. '-' .. string.format('%.0f', n)
        redis.call('XADD', log, 'MAXLEN', '~', records, id, 'k', kind, ...)
      end
      local function begin()
        local time = redis.call('TIME')
        local new = greater(after(known), after(string.match(last, '^%d+')))
        if incarnation then new = greater(new, after(incarnation)) end
        incarnation = greater(new, time[1] .. string.format('%06d', time[2]))
      end

      local written = true
      if not (incarnation and base and found[3] and n) then
        begin()
        base, n = incarnation, 0
        redis.call('DEL', floor)
        write('open', 'h', boot, 'o', '0')
      elseif found[3] ~= run then
        begin()
        write('open', 'h', boot, 'o', '0')
      elseif last ~= incarnation .. '-' .. string.format('%.0f', n) then
        write('open', 'h', boot, 'o', '0')
      else
        written = false
      end

      for i = tables, #KEYS do
        local ns = ARGV[first_namespace + i - tables]
        local recorded = redis.call('HEXISTS', floor, '~' .. ns) == 1
        local kept = redis.call('EXISTS', KEYS[i]) == 1
        if recorded and not kept then
          -- No host's own: even what this one has queued is older.
          write('clear', 'ns', ns, 'h', '', 'o', '0', 'g', 'all')
          redis.call('HSET', floor, '~' .. ns, n)
          redis.call('ZADD', KEYS[i], -n, 'all')
          written = true
        elseif kept and not recorded then
          redis.call('DEL', KEYS[i])
        end
      end
      if written then
        redis.call('HSET', floor, 'E', incarnation, 'base', base, 'run', run, 'n', n)
      end
      if connection ~= '' then
        -- Boots are never forgotten one by one. Whoever is forgotten here is fenced once, and joins again.
        if redis.call('HLEN', hosts) >= 16384 then redis.call('DEL', hosts) end
        redis.call('HSET', hosts, boot, connection)
      end

      local reply = {incarnation, base, n}
      if incarnation ~= known or ARGV[6] == '1' then
        for i = tables, #KEYS do
          reply[i] = redis.call('ZRANGE', KEYS[i], 0, -1, 'WITHSCORES')
        end
      end
      return reply
      """#)
}

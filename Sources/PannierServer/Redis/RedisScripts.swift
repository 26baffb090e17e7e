// What a script is, and which there are: the steps that Redis carries out whole. It knows no connection and sends
// nothing.

/// One atomic step in Lua. A connection loads it once (SCRIPT LOAD) and calls it by the digest that it is told.
///
/// What all have in common:
/// - ARGV 1 to 5 are E, `log_records`, the host's boot id, the op's number and the namespace (`join` apart).
/// - E and n are compared as what they are: E is text throughout, since Lua's numbers end at 2^53; n stays below that.
/// - `GAP`, `FENCED`, and Redis's own `OOM`, `READONLY`, `MISCONF` and so on are error replies, and then nothing was
///   done. The first write is a `pcall`, and its error is returned from the code on: Redis 6.2 has "ERR Error running
///   script" before it, or a line number.
/// - Redis refuses the first write of a script when it is full, if that write can grow; none after it. So what must
///   pass then begins with DEL or HDEL, and what must not begins with HSET or SET. (Flags behind `#!lua` would say the
///   same, to Redis 7 alone.)
package struct RedisScript: Sendable {
  package let name: String
  package let text: String

  package static let all = [join, delete, soft, clear, set, setIf, touch, fill, remove, claim, release]
}

// Those who wait for replies, in the order in which they asked. It knows no reply.

struct ReplyQueue {
  private var waiting: [((RedisReply) -> Void)?] = []
  private var first = 0

  var count: Int { waiting.count - first }

  mutating func append(_ done: @escaping (RedisReply) -> Void) { waiting.append(done) }

  mutating func popFirst() -> ((RedisReply) -> Void)? {
    guard first < waiting.count else { return nil }
    // Taken out, so that what it keeps alive goes with it.
    let done = waiting[first].take()
    first += 1
    // Half of it is empty: each is moved once on average.
    if first * 2 >= waiting.count {
      waiting.removeSubrange(..<first)
      first = 0
    }
    return done
  }

  mutating func popLast() -> ((RedisReply) -> Void)? {
    count > 0 ? waiting.removeLast() : nil
  }
}

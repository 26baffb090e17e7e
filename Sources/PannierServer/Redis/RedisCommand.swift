// Hands commands to hiredis, which takes them as pointers into memory that stays where it is. It knows no command's meaning.

import CHiredis

/// The memory is kept from one command to the next.
struct RedisCommand {
  /// Beyond this, memory that one large command needed is given back, in bytes.
  private static let keptBytes = 64 << 10

  private var bytes: [UInt8] = []
  private var lengths: [Int] = []
  private var pointers: [UnsafePointer<CChar>?] = []

  typealias Done =
    @convention(c) (UnsafeMutablePointer<redisAsyncContext>?, UnsafeMutableRawPointer?, UnsafeMutableRawPointer?) ->
    Void

  /// False: hiredis didn't take it, and will not call `done`.
  mutating func send(
    _ arguments: [[UInt8]], to context: UnsafeMutablePointer<redisAsyncContext>, _ done: Done
  ) -> Bool {
    for argument in arguments {
      bytes += argument
      lengths.append(argument.count)
    }
    defer { clear() }
    return bytes.withUnsafeBufferPointer { bytes in
      bytes.withMemoryRebound(to: CChar.self) { characters in
        var next = characters.baseAddress
        for length in lengths {
          pointers.append(next)
          next = next?.advanced(by: length)
        }
        return redisAsyncCommandArgv(context, done, nil, Int32(arguments.count), &pointers, lengths) == REDIS_OK
      }
    }
  }

  private mutating func clear() {
    if bytes.capacity > Self.keptBytes { bytes = [] }
    bytes.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    pointers.removeAll(keepingCapacity: true)
  }

  /// hiredis knows some by their names and then reads replies as objects of its own, which ours are not: it would end the
  /// process, or worse. It would end it, too, for a command without a word.
  static func isForbidden(_ arguments: [[UInt8]]) -> Bool {
    guard let word = arguments.first, !word.isEmpty else { return true }
    // Most commands are told by their last letter, EVALSHA among them.
    guard (7...12).contains(word.count), let last = word.last, "eErR".utf8.contains(last) else { return false }
    return forbidden.contains(String(decoding: word, as: UTF8.self).lowercased())
  }

  private static let forbidden: Set<String> = [
    "monitor", "pmonitor", "subscribe", "psubscribe", "ssubscribe", "unsubscribe", "punsubscribe", "sunsubscribe",
  ]
}

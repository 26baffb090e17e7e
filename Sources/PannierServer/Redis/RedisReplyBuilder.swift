// Makes a reply of what hiredis's reader finds, item by item, and refuses what is too large, too deep or was not asked for.
// It knows no socket.

import CHiredis

/// For one connection. hiredis would build objects of its own, to be copied and freed; instead it is told each time that
/// its object is the same token, and the reply grows here.
final class RedisReplyBuilder {
  /// Lines end long before: an error message is the longest there is. Also what a bulk may be late in being seen.
  static let lineBytes = 64 << 10
  /// What the reader keeps of its memory when it has nothing to read. By default it is less than it takes for one read, and so
  /// given back and taken anew with nearly each.
  private static let keptBytes = 1 << 20
  /// An item's share of memory beside its bytes, rounded up.
  private static let itemBytes = 64
  private static let deepest = 8
  /// No number that is acceptable has more digits.
  private static let longestNumber = 20
  /// What is reserved at once on the word of an array's header.
  private static let reserved = 64

  private let limits: RedisConnection.Limits
  /// What hiredis calls. It lies still, and must outlive the reader.
  private let functions: UnsafeMutablePointer<redisReplyObjectFunctions>

  /// How many replies are awaited that have not been handed out.
  var awaited = 0
  /// Why the reader was told to stop.
  private(set) var fault: String?
  private var open: [OpenArray] = []
  private var finished: RedisReply?
  private var bytes = 0

  private struct OpenArray {
    var items: [RedisReply] = []
    let count: Int
  }

  init(_ limits: RedisConnection.Limits) {
    self.limits = limits
    functions = .allocate(capacity: 1)
    functions.initialize(to: redisReplyObjectFunctions())
    pannier_refuse_resp3(functions)
    functions.pointee.createString = { task, text, length in
      RedisReplyBuilder.build(task) {
        $0.string(type: task?.pointee.type ?? 0, UnsafeRawBufferPointer(start: text, count: length))
      }
    }
    functions.pointee.createArray = { task, count in
      RedisReplyBuilder.build(task) { $0.array(type: task?.pointee.type ?? 0, count: Int(clamping: count)) }
    }
    functions.pointee.createInteger = { task, value in
      RedisReplyBuilder.build(task) { $0.add(.integer(value), bytes: 0) }
    }
    functions.pointee.createNil = { task in
      RedisReplyBuilder.build(task) { $0.null(type: task?.pointee.type ?? 0) }
    }
    functions.pointee.freeObject = { _ in }
  }

  deinit { functions.deallocate() }

  /// It must live as long as the reader.
  func attach(to reader: UnsafeMutablePointer<redisReader>) {
    reader.pointee.fn = functions
    reader.pointee.privdata = Unmanaged.passUnretained(self).toOpaque()
    reader.pointee.maxbuf = Self.keptBytes
  }

  /// The reply that hiredis has just told of.
  func take() -> RedisReply? {
    defer { finished = nil }
    awaited -= 1
    return finished
  }

  /// What is wrong with what the reader has and can't use yet. hiredis keeps whatever comes until a line or a bulk is whole.
  func faultOfUnread(_ reader: UnsafeMutablePointer<redisReader>) -> String? {
    let type = pannier_unfinished_type(reader)
    guard type != 0, let buffer = reader.pointee.buf else { return nil }
    let unread = UnsafeRawBufferPointer(start: buffer, count: reader.pointee.len)[reader.pointee.pos...]
    if open.isEmpty, awaited == 0, !unread.isEmpty { return unasked }
    guard type == REDIS_REPLY_STRING else {
      return unread.count > Self.lineBytes ? "a line of more than \(Self.lineBytes) bytes" : nil
    }
    let digits = unread.prefix(Self.longestNumber + 1).prefix { $0 != UInt8(ascii: "\r") }
    if digits.count > Self.longestNumber { return "a bulk whose length is no number" }
    let announced = Int(String(decoding: digits, as: UTF8.self)) ?? 0
    let used = open.isEmpty ? 0 : bytes
    return announced > limits.maximumReplyBytes - used || unread.count > limits.maximumReplyBytes + Self.lineBytes
      ? tooLarge : nil
  }

  // MARK: What the reader finds

  private static func build(
    _ task: UnsafePointer<redisReadTask>?, _ add: (RedisReplyBuilder) -> Bool
  ) -> UnsafeMutableRawPointer? {
    var isTaken = false
    borrow(task?.pointee.privdata, as: RedisReplyBuilder.self) { isTaken = add($0) }
    return isTaken ? pannier_reply_token() : nil
  }

  private func string(type: Int32, _ text: UnsafeRawBufferPointer) -> Bool {
    switch type {
    case REDIS_REPLY_STRING: add(.bytes([UInt8](text)), bytes: text.count)
    case REDIS_REPLY_STATUS: add(.status([UInt8](text)), bytes: text.count)
    case REDIS_REPLY_ERROR: add(.error(RedisError(line: text)), bytes: text.count)
    default: refuse(unknownKind)
    }
  }

  /// In RESP2 it is a bulk or an array that isn't there.
  private func null(type: Int32) -> Bool {
    type == REDIS_REPLY_NIL ? refuse(unknownKind) : add(.null, bytes: 0)
  }

  private func array(type: Int32, count: Int) -> Bool {
    guard type == REDIS_REPLY_ARRAY else { return refuse(unknownKind) }
    guard count <= limits.maximumElements else {
      return refuse("an array of \(count) elements, and at most \(limits.maximumElements) are taken")
    }
    guard open.count < Self.deepest else { return refuse("arrays nested more than \(Self.deepest) deep") }
    guard count > 0 else { return add(.array([]), bytes: 0) }
    guard begin(bytes: 0) else { return false }
    var array = OpenArray(count: count)
    array.items.reserveCapacity(min(count, Self.reserved))
    open.append(array)
    return true
  }

  private func add(_ reply: RedisReply, bytes: Int) -> Bool {
    guard begin(bytes: bytes) else { return false }
    var reply = reply
    while let last = open.indices.last {
      open[last].items.append(reply)
      if open[last].items.count < open[last].count { return true }
      reply = .array(open[last].items)
      open.removeLast()
    }
    finished = reply
    return true
  }

  private func begin(bytes more: Int) -> Bool {
    if open.isEmpty {
      // hiredis would end the process.
      guard awaited > 0 else { return refuse(unasked) }
      bytes = 0
    }
    bytes += more + Self.itemBytes
    return bytes <= limits.maximumReplyBytes + Self.itemBytes || refuse(tooLarge)
  }

  private var unknownKind: String { "a kind of reply that RESP2 doesn't have" }
  private var unasked: String { "a reply that nobody asked for" }
  private var tooLarge: String { "a reply of more than \(limits.maximumReplyBytes) bytes" }

  private func refuse(_ why: String) -> Bool {
    fault = why
    return false
  }
}

// What a client asks, one case an op, and how each is written as a line. It knows no connections, and nothing of what an
// answer means.

import NIOCore
import PannierWire

/// A request. Keys are as they are asked for, values are JSON.
enum Call: Sendable {
  case ping
  case get(ns: String, keys: [CacheKey], Reading)
  case set(ns: String, [Item])
  case release(ns: String, key: CacheKey, lease: String, Outcome)
  case delete(ns: String, keys: [CacheKey], soft: Bool)
  case touch(ns: String, key: CacheKey, Lifetime)
  case exists(ns: String, key: CacheKey)
  case keys(ns: String, match: String?, limit: Int, after: String?)
  case clear(ns: String, Covered, soft: Bool, dryRun: Bool)
  case stats(ns: String?)
  case explain(ns: String, key: CacheKey)
  case policy(ns: String, changes: ByteBuffer?)
  case watch(ns: String?, kinds: [String]?, sample: Double?)
  /// A line of somebody else's making, without its end: of a test, and of a tool.
  case line(ByteBuffer)

  /// What a reader would have, beyond a fresh value.
  struct Reading: Sendable {
    /// It can load the value.
    var leases = false
    /// How long it would wait for another's load.
    var wait: Duration?
    var stale = false
    var strict = false
    var maxAge: Duration?
    var meta = false
    /// One key is answered as `items`, too.
    var isMany = false
  }

  struct Lifetime: Sendable {
    /// Nil: the policy's.
    var ttl: TimeToLive?
    var stale: Duration?
  }

  struct Item: Sendable {
    var key: CacheKey
    var value: ByteBuffer
    var lifetime = Lifetime()
    var tags: [CacheTag] = []
    var lease: String?
    var condition: StoreCondition?
  }

  enum Outcome: Sendable {
    case released, failed, passed
  }

  enum Covered: Sendable {
    case all
    case match(String)
    case tags([CacheTag])
  }
}

extension Call {
  /// How long the sidecar was asked to keep the answer back.
  var wait: Duration {
    switch self {
    case .get(_, _, let reading): reading.wait ?? .zero
    // Its walk is done in slices, and its answer comes at the end.
    case .clear: .seconds(10)
    default: .zero
    }
  }

  /// Of a change that no sidecar was told of: what is to be told as soon as one answers. Nil: nothing; a load, or a
  /// condition, has changed nothing.
  var later: Call? {
    switch self {
    case .delete, .clear(_, _, _, dryRun: false): return self
    case .set(let ns, let items):
      let keys = items.filter { $0.lease == nil && $0.condition == nil }.map(\.key)
      // What was there before is not to be shown any more.
      return keys.isEmpty ? nil : .delete(ns: ns, keys: keys, soft: false)
    default: return nil
    }
  }

  /// Leases that the answer may bring are for these keys of this namespace.
  var leased: (ns: String, keys: [CacheKey])? {
    if case .get(let ns, let keys, let reading) = self, reading.leases { (ns, keys) } else { nil }
  }
}

// MARK: Lines

extension Call {
  /// Appends the line with its id, and its end.
  func write(id: UInt64, to buffer: inout ByteBuffer) {
    buffer.writeStaticString(#"{"id":"#)
    buffer.write(number: id)
    buffer.writeStaticString(",")
    writeMembers(to: &buffer)
    buffer.writeStaticString("}\n")
  }

  private func writeMembers(to buffer: inout ByteBuffer) {
    switch self {
    case .ping: buffer.writeStaticString(#""op":"ping""#)
    case .get(let ns, let keys, let reading):
      buffer.writeStaticString(#""op":"get","#)
      buffer.writeNamespace(ns)
      buffer.write(keys, isMany: reading.isMany)
      reading.write(to: &buffer)
    case .set(let ns, let items):
      buffer.writeStaticString(#""op":"set","#)
      buffer.writeNamespace(ns)
      buffer.writeStaticString(",")
      if items.count == 1, let item = items.first { return item.write(to: &buffer) }
      buffer.writeStaticString(#""items":["#)
      buffer.write(each: items) { item, buffer in
        buffer.writeStaticString("{")
        item.write(to: &buffer)
        buffer.writeStaticString("}")
      }
      buffer.writeStaticString("]")
    case .release(let ns, let key, let lease, let outcome):
      buffer.writeStaticString(#""op":"release","#)
      buffer.writeNamespace(ns)
      buffer.write(key)
      buffer.write("lease", string: lease)
      switch outcome {
      case .released: break
      case .failed: buffer.write(flag: "failed")
      case .passed: buffer.write(flag: "pass")
      }
    case .delete(let ns, let keys, let soft):
      buffer.writeStaticString(#""op":"delete","#)
      buffer.writeNamespace(ns)
      buffer.write(keys, isMany: true)
      if soft { buffer.write(flag: "soft") }
    case .touch(let ns, let key, let lifetime):
      buffer.writeStaticString(#""op":"touch","#)
      buffer.writeNamespace(ns)
      buffer.write(key)
      lifetime.write(to: &buffer)
    case .exists(let ns, let key):
      buffer.writeStaticString(#""op":"exists","#)
      buffer.writeNamespace(ns)
      buffer.write(key)
    case .keys(let ns, let match, let limit, let after):
      buffer.writeStaticString(#""op":"keys","#)
      buffer.writeNamespace(ns)
      if let match { buffer.write("match", string: match) }
      buffer.writeStaticString(#","limit":"#)
      buffer.write(number: UInt64(max(0, limit)))
      if let after { buffer.write("after", string: after) }
    case .clear(let ns, let covered, let soft, let dryRun):
      buffer.writeStaticString(#""op":"clear","#)
      buffer.writeNamespace(ns)
      switch covered {
      case .all: break
      case .match(let glob): buffer.write("match", string: glob)
      case .tags(let tags): buffer.write("tags", strings: tags.map(\.text))
      }
      if soft { buffer.write(flag: "soft") }
      if dryRun { buffer.write(flag: "dry_run") }
    case .stats(let ns):
      buffer.writeStaticString(#""op":"stats""#)
      if let ns { buffer.write("ns", string: ns) }
    case .explain(let ns, let key):
      buffer.writeStaticString(#""op":"explain","#)
      buffer.writeNamespace(ns)
      buffer.write(key)
    case .policy(let ns, let changes):
      buffer.writeStaticString(#""op":"policy","#)
      buffer.writeNamespace(ns)
      if let changes { buffer.write("set", json: changes) }
    case .watch(let ns, let kinds, let sample):
      buffer.writeStaticString(#""op":"watch""#)
      if let ns { buffer.write("ns", string: ns) }
      if let kinds { buffer.write("events", strings: kinds) }
      if let sample { buffer.write("sample", number: sample) }
    case .line(let line):
      // What stands between its braces.
      buffer.writeImmutableBuffer(
        line.getSlice(at: line.readerIndex + 1, length: line.readableBytes - 2) ?? ByteBuffer())
    }
  }
}

extension Call.Reading {
  fileprivate func write(to buffer: inout ByteBuffer) {
    if leases { buffer.write(flag: "lease") }
    if let wait { buffer.write("wait", seconds: wait) }
    if stale { buffer.write(flag: "stale") }
    if strict { buffer.write(flag: "strict") }
    if let maxAge { buffer.write("max_age", seconds: maxAge) }
    if meta { buffer.write(flag: "meta") }
  }
}

extension Call.Lifetime {
  fileprivate func write(to buffer: inout ByteBuffer) {
    if let ttl {
      if let span = ttl.span { buffer.write("ttl", seconds: span) } else { buffer.writeStaticString(#","ttl":null"#) }
    }
    if let stale { buffer.write("stale", seconds: stale) }
  }
}

extension Call.Item {
  fileprivate func write(to buffer: inout ByteBuffer) {
    buffer.writeStaticString(#""key":"#)
    buffer.write(string: key.text)
    lifetime.write(to: &buffer)
    if !tags.isEmpty { buffer.write("tags", strings: tags.map(\.text)) }
    if let lease { buffer.write("lease", string: lease) }
    switch condition {
    case nil: break
    case .absent: buffer.write("if", string: "absent")
    case .present: buffer.write("if", string: "present")
    case .version(let version):
      buffer.writeStaticString(#","if":{"version":"#)
      buffer.write(number: version)
      buffer.writeStaticString("}")
    }
    buffer.write("value", json: value)
  }
}

extension ByteBuffer {
  fileprivate mutating func writeNamespace(_ ns: String) {
    writeStaticString(#""ns":"#)
    write(string: ns)
  }

  fileprivate mutating func write(_ key: CacheKey) {
    writeStaticString(#","key":"#)
    write(string: key.text)
  }

  fileprivate mutating func write(_ keys: [CacheKey], isMany: Bool) {
    if !isMany, keys.count == 1, let key = keys.first { return write(key) }
    write("keys", strings: keys.map(\.text))
  }
}

// How a request is written as a line. It knows members, and nothing of what an answer means.

import NIOCore
import PannierWire

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
    if let op {
      buffer.writeStaticString(#""op":""#)
      buffer.writeStaticString(op.name)
      buffer.writeStaticString("\"")
    }
    if let namespace { buffer.write("ns", string: namespace) }
    switch self {
    case .ping, .stats: break
    case .get(_, let keys, let reading):
      buffer.write(keys, isMany: reading.isMany)
      reading.write(to: &buffer)
    case .set(_, let items):
      if items.count == 1, let item = items.first {
        buffer.writeStaticString(",")
        return item.write(to: &buffer)
      }
      buffer.writeStaticString(#","items":["#)
      buffer.write(each: items) { item, buffer in
        buffer.writeStaticString("{")
        item.write(to: &buffer)
        buffer.writeStaticString("}")
      }
      buffer.writeStaticString("]")
    case .release(_, let key, let lease, let outcome):
      buffer.write(key)
      buffer.write("lease", string: lease)
      switch outcome {
      case .released: break
      case .failed: buffer.write(flag: "failed")
      case .passed: buffer.write(flag: "pass")
      }
    case .delete(_, let keys, let soft):
      buffer.write(keys, isMany: true)
      if soft { buffer.write(flag: "soft") }
    case .touch(_, let key, let lifetime):
      buffer.write(key)
      lifetime.write(to: &buffer)
    case .exists(_, let key), .explain(_, let key): buffer.write(key)
    case .keys(_, let match, let limit, let after):
      if let match { buffer.write("match", string: match) }
      buffer.writeStaticString(#","limit":"#)
      buffer.write(number: UInt64(max(0, limit)))
      if let after { buffer.write("after", string: after) }
    case .clear(_, let covered, let soft, let dryRun):
      switch covered {
      case .all: break
      case .match(let glob): buffer.write("match", string: glob)
      case .tags(let tags): buffer.write("tags", strings: tags.map(\.text))
      }
      if soft { buffer.write(flag: "soft") }
      if dryRun { buffer.write(flag: "dry_run") }
    case .policy(_, let changes): if let changes { buffer.write("set", json: changes) }
    case .watch(_, let kinds, let sample):
      if let kinds { buffer.write("events", strings: kinds) }
      if let sample { buffer.write("sample", number: sample) }
    case .line(let line):
      // What stands between its braces.
      let inner = line.getSlice(at: line.readerIndex + 1, length: line.readableBytes - 2)
      buffer.writeImmutableBuffer(inner ?? ByteBuffer())
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
  fileprivate mutating func write(_ key: CacheKey) {
    writeStaticString(#","key":"#)
    write(string: key.text)
  }

  fileprivate mutating func write(_ keys: [CacheKey], isMany: Bool) {
    if !isMany, keys.count == 1, let key = keys.first { return write(key) }
    write("keys", strings: keys.map(\.text))
  }
}

// How answers are written: the order of their members is fixed here and nowhere else. It knows no tiers and no sockets.

/// What `meta` and `explain` tell of a value. Times are in milliseconds.
package struct ValueMeta {
  package enum Tier { case memory, redis }

  package let tier: Tier
  /// What is left of its freshness; nil: no expiry.
  package let ttlMilliseconds: Int64?
  package let ageMilliseconds: Int64
  package let version: UInt64
  package let tags: [Bytes]
  package let size: Int

  package init(
    tier: Tier = .memory, ttlMilliseconds: Int64?, ageMilliseconds: Int64, version: UInt64, tags: [Bytes], size: Int
  ) {
    self.tier = tier
    self.ttlMilliseconds = ttlMilliseconds
    self.ageMilliseconds = ageMilliseconds
    self.version = version
    self.tags = tags
    self.size = size
  }
}

/// An answer is `begin`, its members, `end`. Of several items each is an object of its own, from `beginItems` to `endArray`.
extension OutputBuffer {
  /// `{"id":…,"ok":true`
  package mutating func begin(id: Bytes?) {
    guard let id else { return append("{\"ok\":true") }
    append("{\"id\":")
    append(id)
    append(",\"ok\":true")
  }

  package mutating func end() { append("}\n") }

  /// `{"ok":true}`
  package mutating func done(id: Bytes?) {
    begin(id: id)
    end()
  }

  /// `{"ok":false,"error":{"code":…,"message":…}}`
  package mutating func refused(_ refusal: Refusal, id: Bytes?) {
    append(UInt8(ascii: "{"))
    if let id {
      append("\"id\":")
      append(id)
      append(UInt8(ascii: ","))
    }
    append("\"ok\":false,\"error\":{\"code\":")
    append(string: refusal.code.rawValue)
    append(",\"message\":")
    append(string: refusal.message)
    append("}}\n")
  }

  /// An object inside an answer, or after a name; its members are written with `name`, and so find no comma before the first.
  package mutating func beginObject() {
    separate()
    append(UInt8(ascii: "{"))
  }

  package mutating func endObject() { append(UInt8(ascii: "}")) }

  package mutating func beginArray() {
    separate()
    append(UInt8(ascii: "["))
  }

  package mutating func endArray() { append(UInt8(ascii: "]")) }

  package mutating func beginItems() { append(",\"items\":[") }

  // MARK: get

  /// The whole answer to the commonest request: one key, a fresh hit, nothing asked for but the value.
  package mutating func plainHit(id: Bytes?, value: Bytes) {
    if let id {
      append("{\"id\":")
      append(id)
      append(",\"ok\":true,\"hit\":true,\"value\":")
    } else {
      append("{\"ok\":true,\"hit\":true,\"value\":")
    }
    append(value)
    append("}\n")
  }

  package mutating func miss() { member("hit", flag: false) }

  /// `value` nil: the asker has it already. `lease`: the token, where the asker is to load it anew.
  package mutating func hit(value: Bytes?, stale: Bool, lease: String? = nil, meta: ValueMeta?) {
    member("hit", flag: true)
    if stale { append(",\"stale\":true") }
    if let lease { member("lease", string: lease) }
    if value == nil { append(",\"same\":true") }
    if let meta {
      member("ttl", seconds: meta.ttlMilliseconds)
      member("age", seconds: meta.ageMilliseconds)
      append(meta.tier == .memory ? ",\"tier\":\"memory\"" : ",\"tier\":\"redis\"")
      member("version", number: meta.version)
      member("tags", strings: meta.tags)
      member("size", count: meta.size)
    }
    guard let value else { return }
    append(",\"value\":")
    append(value)
  }

  // MARK: set

  /// It holds on this host, and others are told later.
  package mutating func queued() { append(",\"redis\":\"queued\"") }

  package mutating func stored() { member("stored", flag: true) }

  package mutating func notStored(_ reason: StaticString) {
    member("stored", flag: false)
    member("reason", word: reason)
  }

  // MARK: explain

  /// `filler`: who stored it, where that is known here.
  package mutating func present(stale: Bool, meta: ValueMeta, filler: (pid: Int32, uid: UInt32)?) {
    member("state", word: stale ? "stale" : "fresh")
    append(meta.tier == .memory ? ",\"tier\":\"memory\"" : ",\"tier\":\"redis\"")
    member("age", seconds: meta.ageMilliseconds)
    member("ttl", seconds: meta.ttlMilliseconds)
    member("tags", strings: meta.tags)
    member("version", number: meta.version)
    member("size", count: meta.size)
    guard let filler else { return }
    name("filled_by")
    append("{\"pid\":")
    append(number: Int(filler.pid))
    append(",\"uid\":")
    append(number: Int(filler.uid))
    append(UInt8(ascii: "}"))
  }

  // MARK: Members

  package mutating func member(_ name: StaticString, flag: Bool) {
    self.name(name)
    append(flag: flag)
  }

  package mutating func member(_ name: StaticString, count: Int) {
    self.name(name)
    append(number: count)
  }

  package mutating func member(_ name: StaticString, count: Int?) {
    self.name(name)
    if let count { append(number: count) } else { append("null") }
  }

  package mutating func member(_ name: StaticString, number: UInt64) {
    self.name(name)
    append(number: number)
  }

  package mutating func member(_ name: StaticString, seconds milliseconds: Int64?) {
    self.name(name)
    if let milliseconds { append(seconds: milliseconds) } else { append("null") }
  }

  package mutating func member(_ name: StaticString, word: StaticString) {
    self.name(name)
    append(UInt8(ascii: "\""))
    append(word)
    append(UInt8(ascii: "\""))
  }

  package mutating func member(_ name: StaticString, string: Bytes) {
    self.name(name)
    append(string: string)
  }

  package mutating func member(_ name: StaticString, string: String) {
    self.name(name)
    append(string: string)
  }

  package mutating func member(_ name: StaticString, strings: [Bytes]) {
    self.name(name)
    beginArray()
    for string in strings {
      separate()
      append(string: string)
    }
    endArray()
  }
}

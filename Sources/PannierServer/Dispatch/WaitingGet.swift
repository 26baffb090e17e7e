// A `get` whose answer waits for other callers' loads, or for the shared tier: what it asked, kept until it can be asked again. It decides nothing.

import PannierCore
import PannierWire

final class WaitingGet {
  let session: Session
  let ns: NamespaceID
  /// Of this object's own memory, as `keys` are.
  let id: Bytes?
  let keys: [Bytes]
  /// It was asked with `keys`, and is answered with `items`.
  let isMany: Bool
  let meta: Bool
  /// As it was asked.
  let options: Cache.ReadOptions
  /// When it was asked, and how long it would wait, in milliseconds.
  let since: Int64
  let waitMilliseconds: Int64
  /// What it waits for now, and the place in `keys` of each.
  var tickets: [WaitTicket: Int] = [:]
  /// The places in `keys` for which it has waited.
  var waitedFor: Set<Int> = []
  /// It was asked whether the key is there, and nothing is counted.
  private(set) var isExists = false
  /// The shared tier was asked, when this was the host's last change; nil: it hasn't been.
  var fetchedSince: UInt64?
  /// What memory has since then is proven to lack no change.
  var isProven = false
  private let memory: UnsafeMutableRawBufferPointer

  convenience init(
    _ get: Request.Get, _ ns: NamespaceID, _ options: Cache.ReadOptions, _ id: Bytes?, _ session: Session, since: Int64
  ) {
    var isMany = false
    if case .many = get.keys { isMany = true }
    self.init(
      get.keys.all, ns, options, id, session, isMany: isMany, meta: get.meta,
      waitMilliseconds: get.waitMilliseconds ?? 0, since: since)
  }

  /// Whether a key is there: nothing is counted.
  convenience init(exists key: Bytes, _ ns: NamespaceID, _ id: Bytes?, _ session: Session, since: Int64) {
    self.init(
      [key], ns, Cache.ReadOptions(), id, session, isMany: false, meta: false, waitMilliseconds: 0, since: since)
    isExists = true
  }

  private init(
    _ asked: [Bytes], _ ns: NamespaceID, _ options: Cache.ReadOptions, _ id: Bytes?, _ session: Session, isMany: Bool,
    meta: Bool, waitMilliseconds: Int64, since: Int64
  ) {
    memory = .allocate(byteCount: asked.reduce(1 + (id?.count ?? 0)) { $0 + $1.count }, alignment: 1)
    var copies: [Bytes] = []
    var end = 0
    for bytes in asked + [id ?? Bytes(start: nil, count: 0)] {
      let place = UnsafeMutableRawBufferPointer(rebasing: memory[end..<end + bytes.count])
      place.copyMemory(from: bytes)
      copies.append(Bytes(place))
      end += bytes.count
    }
    self.id = id == nil ? nil : copies.last
    keys = Array(copies.dropLast())
    self.isMany = isMany
    self.meta = meta
    self.waitMilliseconds = waitMilliseconds
    self.session = session
    self.ns = ns
    self.options = options
    self.since = since
  }

  deinit { memory.deallocate() }
}

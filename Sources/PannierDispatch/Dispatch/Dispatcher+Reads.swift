// exists and keys: what is asked, put to the cache, and its step put into an answer.

import PannierCore
import PannierWire

extension Dispatcher {
  func exists(_ name: Bytes, _ key: Bytes, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let ns = try changedNamespace(name)
    if let ns, cache.isShared(ns), try parkExists(ns, key, id, session) { return }
    session.output.begin(id: id)
    session.output.member("exists", flag: ns.map { cache.exists($0, key, now: now) } ?? false)
    session.output.end()
  }

  func keys(_ keys: Request.Keys, _ id: Bytes?, _ session: Session) throws(Refusal) {
    let glob = try glob(keys.match)
    let position = try cursor(keys.after)
    guard let ns = try knownNamespace(keys.ns) else { return writeKeys([], next: nil, id, session) }
    // So that the answer is no longer than a line may be, though each byte of a key took the six of an escape.
    let page = cache.list(
      ns, from: position, match: glob, limit: keys.limit, bytes: limits.lineBytes / Self.mostBytesPerKeyByte, now: now)
    writeKeys(page.keys, next: page.next, id, session)
  }

  /// An escape, and the quotes and comma of a short key.
  private static let mostBytesPerKeyByte = 9

  private func writeKeys(_ keys: [Bytes], next: UInt64?, _ id: Bytes?, _ session: Session) {
    session.output.begin(id: id)
    session.output.member("keys", strings: keys)
    if let next { session.output.member("next", string: String(next, radix: 16)) }
    session.output.end()
  }

  /// A place in the order of keys, as `next` gave it.
  private func cursor(_ text: Bytes?) throws(Refusal) -> UInt64 {
    guard let text else { return 0 }
    guard text.count <= 16, let position = UInt64(String(decoding: text, as: UTF8.self), radix: 16) else {
      throw Refusal(.badRequest, "\"after\" must be what an answer gave as \"next\"")
    }
    return position
  }

  // MARK: Namespaces and globs

  /// The namespace, made from the defaults on first use.
  @inline(__always)
  func namespace(_ name: Bytes) throws(Refusal) -> NamespaceID {
    if let ns = cache.namespace(name) { return ns }
    return try newNamespace(name)
  }

  @inline(never)
  private func newNamespace(_ name: Bytes) throws(Refusal) -> NamespaceID {
    let text = try allowedName(name)
    guard let ns = cache.addNamespace(name, policy: policies.policy(for: text)) else {
      throw Refusal(
        .overloaded,
        "there are \(cache.namespaceCount) namespaces, as many as limits.namespaces or a quarter of memory allow")
    }
    return ns
  }

  /// The namespace, where it is in use; nil: it could be, and isn't.
  func knownNamespace(_ name: Bytes) throws(Refusal) -> NamespaceID? {
    if let ns = cache.namespace(name) { return ns }
    _ = try allowedName(name)
    return nil
  }

  func checkName(_ name: Bytes) throws(Refusal) {
    guard isNamespaceName(name) else {
      throw Refusal(.badRequest, "\"ns\" must be 1 to 64 of the characters A-Z a-z 0-9 _ . -")
    }
  }

  func allowedName(_ name: Bytes) throws(Refusal) -> String {
    try checkName(name)
    let text = String(decoding: name, as: UTF8.self)
    if configuration.unknownNamespaces == .create || policies.isConfigured(text) { return text }
    throw Refusal(.unknownNamespace, "there is no namespace \"\(text)\", and unknown_namespaces is refuse")
  }

  func glob(_ pattern: Bytes?) throws(Refusal) -> Glob? {
    guard let pattern else { return nil }
    if pattern.count > Glob.maximumBytes {
      throw Refusal(
        .badRequest, "\"match\" has \(pattern.count) bytes; a glob may have \(Glob.maximumBytes)")
    }
    guard let glob = Glob(pattern) else {
      throw Refusal(
        .badRequest, "\"match\" is no glob: it knows * ? [abc] [!a-z], and \\ before a character meant as itself")
    }
    return glob
  }
}

extension ValueMeta {
  init(_ details: Cache.Details, isShared: Bool = false) {
    self.init(
      tier: isShared ? .redis : .memory,
      ttlMilliseconds: details.ttlMilliseconds, ageMilliseconds: details.ageMilliseconds, version: details.version,
      tags: details.tags, size: details.size)
  }
}

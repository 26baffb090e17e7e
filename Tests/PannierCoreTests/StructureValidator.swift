// Looks at everything the cache holds and says what doesn't fit together. It knows how entries are linked, and nothing of
// what they should be.

@testable import PannierCore

extension Subject {
  /// What is wrong with a namespace's structures, if anything: each entry is on the recency list, is found by its key, and is
  /// filed in the wheel or has no end.
  func fault(of id: NamespaceID) -> String? {
    let namespace = cache.tier.namespaces[id]
    let list = cache.tier.arena.recencyList(from: namespace.pointee.recency.victim(in: cache.tier.arena))
    let count = namespace.pointee.table.count
    if list.count != count { return "\(count) in the table, \(list.count) on the recency list" }
    for link in list {
      let entry = cache.tier.entry(link)
      if entry.namespace != id { return "an entry of namespace \(entry.namespace)" }
      if cache.tier.find(id, entry.key, cache.tier.keyHash(entry.key)) != link {
        return "\(text(entry.key)) isn't found"
      }
      if entry.wheelPrevious < 1 << 31, Entry(base: cache.tier.arena.pointer(entry.wheelPrevious)).wheelNext != link {
        return "\(text(entry.key)) is out of its slot"
      }
    }
    return nil
  }

  /// The same for all, with what needs sums over them: the wheel's count, tags and who names them, callers, and every byte.
  func faultOfAll() -> String? {
    var filed = 0
    var bytes = 0
    for id in 0..<cache.namespaceCount {
      if let fault = fault(of: id) { return "namespace \(id): \(fault)" }
      let entries = entries(inNamespace: id)
      filed += entries.count { $0.entry.end < Entry.never }
      let expected = recomputedBytes(id, entries)
      if cache.byteCount(of: id) != expected {
        return "namespace \(id): \(cache.byteCount(of: id)) bytes, not \(expected)"
      }
      bytes += expected
      if let fault = tagFault(id, entries) { return "namespace \(id): \(fault)" }
    }
    if cache.tier.wheel.count != filed { return "\(cache.tier.wheel.count) in the wheel, not \(filed)" }
    let all = bytes + cache.tier.gone.byteCount + cache.namespaceCount * NamespaceList.bytesEach
    return cache.usedBytes == all ? nil : "\(cache.usedBytes) bytes used, not \(all)"
  }

  private func entries(inNamespace id: NamespaceID) -> [(link: Link, entry: Entry)] {
    let oldest = cache.tier.namespaces[id].pointee.recency.victim(in: cache.tier.arena)
    return cache.tier.arena.recencyList(from: oldest).map { ($0, cache.tier.entry($0)) }
  }

  private func recomputedBytes(_ id: NamespaceID, _ entries: [(link: Link, entry: Entry)]) -> Int {
    let own = entries.reduce(0) { $0 + bytes(of: $1.link, $1.entry) + ChainTable<EntryNode>.bytesPerEntry }
    return tagsNamed(id, entries).keys.reduce(own) { $0 + cache.tier.arena.sharedBytes($1) }
  }

  private func bytes(of link: Link, _ entry: Entry) -> Int {
    let end = entry.value.baseAddress.map { $0 + entry.value.count } ?? UnsafeRawPointer(entry.base)
    let cost = Arena.cost(of: end - UnsafeRawPointer(entry.base))
    return cost > 1 << 20 ? cost : cache.tier.arena.sharedBytes(link)
  }

  /// How often entries and pending clears name each tag.
  private func tagsNamed(_ id: NamespaceID, _ entries: [(link: Link, entry: Entry)]) -> [Link: Int] {
    var named: [Link: Int] = [:]
    for link in entries.flatMap(\.entry.tags) { named[link, default: 0] += 1 }
    for case .tags(let links) in cache.tier.namespaces[id].pointee.pending.clears.map(\.pattern) {
      for link in links where link != 0 { named[link, default: 0] += 1 }
    }
    return named
  }

  private func tagFault(_ id: NamespaceID, _ entries: [(link: Link, entry: Entry)]) -> String? {
    for (link, count) in tagsNamed(id, entries) {
      let node = cache.tier.arena.pointer(link)
      let kept = node.load(fromByteOffset: 4, as: UInt32.self)
      if Int(kept) != count { return "\(text(TagNode.key(of: node))) is named by \(count), not \(kept)" }
    }
    return nil
  }
}

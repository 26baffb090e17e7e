// What happens in the sidecar, event by event, on a connection of its own. It keeps none, and begins anew for nobody: who watches
// sees the connection end.

import NIOCore
import PannierWire

/// One event, as PROTOCOL.md's Events have it.
public struct CacheEvent: Sendable {
  public enum Kind: String, Sendable, CaseIterable {
    case set, fill, delete, clear, expire, evict, lease, release, policy, redis, dropped
  }

  public let kind: Kind
  public let namespace: String?
  public let key: CacheKey?
  /// Of the process that asked.
  public let pid: Int32?
  /// Of an eviction or a release.
  public let reason: String?
  /// All that it says.
  public let json: RawJSON

  /// Nil: no event that this version knows.
  init?(_ line: ByteBuffer) {
    guard let object = JSONValue(line.readableBytesView),
      let kind = object["event"]?.string.flatMap(Kind.init(rawValue:))
    else { return nil }
    self.kind = kind
    namespace = object["ns"]?.string
    key = object["key"]?.string.map { CacheKey($0) }
    pid = object["pid"]?.integer.flatMap { Int32(exactly: $0) }
    reason = object["reason"]?.string
    json = RawJSON(trusted: line)
  }
}

extension PannierClient {
  /// What happens from now on, until the sidecar ends or the task is cancelled. `namespace`: only there; `kinds`: only
  /// these; `sample`: the share of events to show, 0 to 1. Throws ``PannierError`` where there is no sidecar, or it refuses.
  public func watch(
    namespace: String? = nil, kinds: Set<CacheEvent.Kind>? = nil, sample: Double? = nil
  ) -> AsyncThrowingStream<CacheEvent, any Error> {
    let call = Call.watch(ns: namespace, kinds: kinds?.map(\.rawValue).sorted(), sample: sample)
    let (events, stream) = AsyncThrowingStream<CacheEvent, any Error>.makeStream()
    let connection = links.apart(
      Connection.Observer(
        heard: {},
        failed: { _, _ in },
        unasked: { if let event = CacheEvent($0) { stream.yield(event) } },
        ended: { stream.finish() }))
    stream.onTermination = { _ in connection.close() }
    connection.ask(call, within: links.limit(call)) { result in
      do {
        _ = try result.get().members()
      } catch {
        stream.finish(throwing: error)
        connection.close()
      }
    }
    // Where nobody is there the request is told so, before the end is.
    links.open(connection)
    return events
  }
}

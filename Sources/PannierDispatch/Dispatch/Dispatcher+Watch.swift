// watch: events of the cache, told to whoever asked, as far as they read them.

import PannierCore
import PannierWire

extension Dispatcher {
  /// Bytes of events that may wait for a slow reader; beyond, it loses events.
  private static let watchBacklog = 1 << 20

  func watch(_ watch: Request.Watch, _ id: Bytes?, _ session: Session) throws(Refusal) {
    if let ns = watch.ns { try checkName(ns) }
    var kinds = Set(EventKind.allCases)
    if let names = watch.events {
      kinds = []
      for name in names { kinds.insert(try kind(name)) }
    }
    session.progress.watch = WatchFilter(ns: watch.ns.map { Array($0) }, kinds: kinds, sample: watch.sample)
    watchers[ObjectIdentifier(session)] = session
    watchChanged()
    session.output.begin(id: id)
    session.output.member("watching", flag: true)
    session.output.end()
  }

  private func kind(_ name: Bytes) throws(Refusal) -> EventKind {
    let text = String(decoding: name, as: UTF8.self)
    if let kind = EventKind(rawValue: text) { return kind }
    let known = EventKind.allCases.map(\.rawValue)
    let hint = nearestName(to: text, among: known).map { ", did you mean \"\($0)\"?" }
    throw Refusal(.badRequest, "unknown event \"\(text)\"" + (hint ?? "; there are: \(known.joined(separator: ", "))"))
  }

  /// The cache collects what anybody watches.
  func watchChanged() {
    flags.value.isWatched = !watchers.isEmpty
    cache.watch(watchers.values.reduce(into: []) { $0.formUnion($1.progress.watch?.kinds ?? []) })
  }

  /// Tells what has happened since the last call.
  package func tellWatchers() {
    let events = cache.takeEvents()
    for session in watchers.values {
      for event in events { tell(event, session) }
    }
  }

  private func tell(_ event: Event, _ session: Session) {
    tellDropped(session)
    guard let filter = session.progress.watch, filter.kinds.contains(event.kind) else { return }
    if event.kind == .redis { return tell(session) { $0.member("gap", flag: true) } }
    guard filter.ns == nil || filter.ns == cache.name(of: event.namespace),
      filter.sample >= 1 || Double.random(in: 0..<1) < filter.sample
    else { return }
    send(to: session) { write(event, &$0) }
  }

  /// The link to Redis has entered another state: that concerns every namespace, and is in every share. `reason`: why it can't be used.
  package func tellWatchers(redis state: String, _ reason: String?) {
    // What happened before is told before.
    tellWatchers()
    for session in watchers.values where session.progress.watch?.kinds.contains(.redis) == true {
      tellDropped(session)
      tell(session) { output in
        output.member("state", string: state)
        if let reason { output.member("reason", string: reason) }
      }
    }
  }

  private func tell(_ session: Session, _ members: (inout OutputBuffer) -> Void) {
    send(to: session) { output in
      output.append("{\"event\":\"redis\"")
      members(&output)
      output.end()
    }
  }

  /// What is said to one that doesn't read is lost, and counted.
  private func send(to session: Session, _ write: (inout OutputBuffer) -> Void) {
    if session.unreadBytes > Self.watchBacklog {
      session.progress.watch?.dropped += 1
      return
    }
    write(&session.output)
    markDirty(session)
  }

  /// Once it has read what it was sent: what it missed is said then, and not when something happens next.
  package func tellDropped(_ session: Session) {
    guard let dropped = session.progress.watch?.dropped, dropped > 0, session.unreadBytes <= Self.watchBacklog
    else { return }
    session.progress.watch?.dropped = 0
    session.output.append("{\"event\":\"dropped\"")
    session.output.member("count", count: dropped)
    session.output.end()
    markDirty(session)
  }

  private func write(_ event: Event, _ output: inout OutputBuffer) {
    output.append("{\"event\":")
    output.append(string: event.kind.rawValue)
    cache.name(of: event.namespace).withUnsafeBytes { output.member("ns", string: $0) }
    if case .key(let key) = event.scope { key.withUnsafeBytes { output.member("key", string: $0) } }
    switch event.kind {
    case .set, .fill:
      output.member("pid", count: Int(event.pid))
      output.member("ttl", seconds: event.ttlMilliseconds)
      output.member("size", count: event.size)
      if let grantedAt = event.grantedAt { output.member("load", seconds: now - grantedAt) }
    case .lease:
      output.member("pid", count: Int(event.pid))
      if event.handedOver { output.member("handed_over", flag: true) }
    case .release:
      output.member("pid", count: Int(event.pid))
      output.member("reason", string: event.end?.rawValue ?? "")
    case .delete, .clear:
      output.member("pid", count: Int(event.pid))
      if event.soft { output.member("soft", flag: true) }
      write(event.scope, &output)
    case .evict:
      if let bound = event.bound { output.member("reason", word: bound.name) }
    case .policy: output.member("pid", count: Int(event.pid))
    case .expire, .redis: break
    }
    output.end()
  }

  private func write(_ scope: Event.Scope, _ output: inout OutputBuffer) {
    switch scope {
    case .key, .all: break
    case .match(let pattern): pattern.withUnsafeBytes { output.member("match", string: $0) }
    case .tags(let tags): withBorrowed(tags) { output.member("tags", strings: $0) }
    }
  }
}

// What sidecars must have in common for a coherence check to mean anything: one log in one Redis, and a namespace that is shared.

import PannierWire

struct Agreement {
  /// The incarnation of the log that all of them follow.
  let log: String
  /// The longest that any of them may show what another has replaced, in seconds.
  let bound: Double

  /// How long one that is just joining is waited for.
  private static let patienceSeconds = 2.0
  private static let pauseMicroseconds: UInt32 = 20_000

  /// Throws, in plain words, where there is none.
  init(_ sidecars: [Sidecar], _ ns: String) throws(Failure) {
    for sidecar in sidecars { try Self.checkPolicy(of: sidecar, ns) }
    let began = Stopwatch()
    while true {
      do throws(Failure) {
        let links = try sidecars.map { (sidecar) throws(Failure) in try Self.link(of: sidecar, ns) }
        try Self.checkSharing(sidecars, links)
        log = links.first?.log ?? ""
        bound = links.reduce(0) { max($0, $1.bound) }
        return
      } catch {
        if began.seconds > Self.patienceSeconds { throw error }
      }
      pause(microseconds: Self.pauseMicroseconds)
    }
  }

  private static func link(of sidecar: Sidecar, _ ns: String) throws(Failure) -> (log: String, bound: Double) {
    guard let redis = try sidecar.redis(ns) else {
      throw Failure("\(sidecar.name) has no Redis: what it is told no other sidecar shows")
    }
    let state = redis["state"]?.string ?? ""
    guard state == "up", let log = redis["log"]?["incarnation"]?.string, !log.isEmpty else {
      let reason = redis["reason"]?.string.map { ": \(Printable.line($0))" } ?? ""
      throw Failure("\(sidecar.name) has no use of its Redis now, it is \(Printable.line(state))\(reason)")
    }
    return (log, redis["log"]?["bound"]?.number ?? 0)
  }

  private static func checkSharing(_ sidecars: [Sidecar], _ links: [(log: String, bound: Double)]) throws(Failure) {
    for (sidecar, link) in zip(sidecars, links) {
      guard let first = sidecars.first, let log = links.first?.log, link.log != log else { continue }
      throw Failure(
        "\(first.name) and \(sidecar.name) don't share one Redis: their logs are \(Printable.line(log)) and "
          + "\(Printable.line(link.log)). Are redis.url and redis.prefix the same?")
    }
  }

  private static func checkPolicy(of sidecar: Sidecar, _ ns: String) throws(Failure) {
    let policy = try sidecar.policy(ns)
    let place = "\(sidecar.name): in the namespace \(Printable.line(ns))"
    if policy["tiers"]?.elements?.contains(where: { $0.string == "redis" }) != true {
      throw Failure(
        "\(place) nothing is shared, its tiers are \(policy["tiers"]?.text ?? "unknown"); --ns names another")
    }
    if let mode = policy["mode"]?.string, mode != "on" {
      throw Failure("\(place) nothing is stored, its mode is \(Printable.line(mode)); --ns names another")
    }
    if policy["write"]?.string == "behind" {
      throw Failure("\(place) a set is answered before Redis has it (write: behind); --ns names another")
    }
  }
}

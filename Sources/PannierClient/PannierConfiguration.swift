// What a client is told at its start: where its sidecar is, and how long it may take. It reads the environment, and nothing else.

import NIOCore

#if canImport(FoundationEssentials)
  import FoundationEssentials
#else
  import Foundation
#endif

public struct PannierConfiguration: Sendable {
  /// Where a system's own sidecar listens.
  public static let systemSocketPath = "/run/pannier/pannier.sock"

  /// The sidecar's Unix socket.
  public var socketPath: String
  /// Switched off, values are simply loaded, and nothing is read or stored. Invalidations are still sent where a sidecar
  /// answers, so that switching on shows nothing old.
  public var isEnabled: Bool
  public var connectTimeout: Duration = .milliseconds(50)
  /// Beyond what the sidecar was asked to wait. Above its `redis.timeout`, 0.1 s, for which it may keep an answer back.
  public var requestTimeout: Duration = .milliseconds(200)
  /// For so long a sidecar that didn't answer isn't asked.
  public var breakerPause: Duration = .seconds(1)
  /// Whether a ``PannierError`` goes up to the caller; else trouble with the cache is a miss, or nothing done.
  public var throwsErrors = false

  /// `socketPath`: without one, that of the variable PANNIER_SOCKET, of the user's own sidecar in XDG_RUNTIME_DIR, or of
  /// the system's. PANNIER_ENABLED=0 switches off.
  public init(socketPath: String? = nil) {
    let environment = ProcessInfo.processInfo.environment
    self.socketPath = socketPath ?? Self.socketPath(environment) { FileManager.default.fileExists(atPath: $0) }
    isEnabled = Self.isEnabled(environment)
  }

  static func socketPath(_ environment: [String: String], exists: (String) -> Bool) -> String {
    if let named = environment["PANNIER_SOCKET"], !named.isEmpty { return named }
    if let folder = environment["XDG_RUNTIME_DIR"], !folder.isEmpty {
      let own = folder + "/pannier.sock"
      if exists(own) { return own }
    }
    return systemSocketPath
  }

  static func isEnabled(_ environment: [String: String]) -> Bool {
    let text = environment["PANNIER_ENABLED", default: "1"].lowercased().trimmed
    return !["0", "false", "off", "no"].contains(text)
  }
}

extension String {
  fileprivate var trimmed: String {
    String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed())
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    // Beyond some hundred years it makes no difference.
    let nanoseconds = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    self = .nanoseconds(nanoseconds.overflow ? .max / 4 : nanoseconds.partialValue + attoseconds / 1_000_000_000)
  }
}

// Everything that can be set about a server, as settled values. Where each came from is `ConfigurationLoad`'s matter.

package import PannierCore

package struct Configuration: Equatable, Sendable {
  package var socket: Socket
  /// What the memory tier may take, all overhead counted.
  package var memoryBytes = 256 << 20
  package var unknownNamespaces = UnknownNamespaces.create
  /// Lies over a policy's built-in values for every namespace.
  package var defaults = PolicyPatch()
  package var namespaces: [String: PolicyPatch] = [:]
  package var limits = Limits()
  package var redis = RedisSettings()
  package var access = Access()
  package var log = Log()

  package struct Socket: Equatable, Sendable {
    package var path: String
    package var mode: UInt16 = 0o660
    /// A name or a number; nil: the process's own.
    package var group: String?
  }

  /// What becomes of a namespace that the configuration doesn't have.
  package enum UnknownNamespaces: String, CaseIterable, Sendable {
    case create, refuse
  }

  package struct Access: Equatable, Sendable {
    /// Where both are empty, whoever the socket's mode and group let in.
    package var uids: [UInt32] = []
    package var gids: [UInt32] = []
    /// Besides the owner of the process.
    package var admins: [UInt32] = []
  }

  package struct Log: Equatable, Sendable {
    package var level = Level.info
    package var format = Format.logfmt

    package enum Level: String, CaseIterable, Sendable {
      case trace, debug, info, notice, warning, error, critical
    }

    package enum Format: String, CaseIterable, Sendable {
      case logfmt, json
    }
  }

  /// What holds where nothing is set.
  package init(environment: [String: String] = [:]) {
    socket = Socket(path: Self.defaultSocketPath(environment))
  }

  /// Built-in values, then `defaults`, then the namespace's own: the later wins field by field.
  package func policy(for namespace: String) -> Policy {
    var policy = Policy()
    defaults.apply(to: &policy)
    namespaces[namespace]?.apply(to: &policy)
    return policy
  }

  /// Where a client without a configuration file finds the server.
  package static func socketPath(explicit: String?, environment: [String: String]) -> String {
    let given = [explicit] + Setting.socketVariables.map { environment[$0] }
    return given.compactMap { $0 }.first { !$0.isEmpty } ?? defaultSocketPath(environment)
  }

  /// Where a daemon of the whole host serves.
  package static let systemSocketPath = "/run/pannier/pannier.sock"

  private static func defaultSocketPath(_ environment: [String: String]) -> String {
    let directory = environment["XDG_RUNTIME_DIR"] ?? ""
    return directory.isEmpty ? systemSocketPath : "\(directory)/pannier.sock"
  }
}

extension Configuration {
  /// What differs and is taken over at the next start alone.
  package func changesThatNeedRestart(to new: Configuration) -> [String] {
    var changes: [String] = []
    if socket != new.socket { changes.append("socket") }
    if memoryBytes != new.memoryBytes { changes.append("memory") }
    if limits != new.limits { changes.append("limits") }
    if redis != new.redis { changes.append("redis") }
    if log != new.log { changes.append("log") }
    return changes
  }
}

/// The most that memory's 32-bit links of eight bytes can reach.
let largestMemory = 32 << 30

// How many descriptors the process may have, and how many connections that leaves room for.
// It doesn't count what is open.
internal import Glibc

package enum Descriptors {
  /// Standard streams (3); the loop's epoll, wake-up, signal pipe and ring (6); listener, lock and directory (3); the
  /// spare one that EMFILE is met with (1); configuration, /proc and name lookup while they are open (4); and some air
  /// for descriptors that were inherited.
  package static let reserve = 24

  /// How many connections to take, after raising the limit as far as it goes; and what to tell the operator if that is
  /// fewer than wanted.
  package static func usableConnections(wanted: Int) -> (connections: Int, warning: String?) {
    connections(wanted: wanted, limit: raiseLimit())
  }

  /// The same for a limit that is given.
  package static func connections(wanted: Int, limit: Int) -> (connections: Int, warning: String?) {
    // With no room at all it still tries one: a daemon that serves nobody is no better than one that says why it failed.
    let room = max(1, limit - reserve)
    guard room < wanted else { return (wanted, nil) }
    return (
      room,
      "limits.connections is \(wanted), but the process may open only \(limit) files (ulimit -Hn), of which \(reserve) "
        + "are kept for other things: taking at most \(room) connections"
    )
  }

  /// Raises the soft limit to the hard one; returns the limit that holds then.
  @discardableResult
  package static func raiseLimit() -> Int {
    let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
    var limit = rlimit()
    guard getrlimit(kind, &limit) == 0 else { return fallback }
    if limit.rlim_cur < limit.rlim_max {
      var raised = limit
      raised.rlim_cur = limit.rlim_max
      if setrlimit(kind, &raised) == 0 { limit = raised }
    }
    return Int(clamping: limit.rlim_cur)
  }

  /// What Linux gives a process where nobody said otherwise.
  private static let fallback = 1024
}

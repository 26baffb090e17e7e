// Why a socket path could not be had, in words for whoever started the daemon: what is wrong, and what would do.
// It doesn't know how faults are found, nor where they are printed.
internal import Glibc
internal import PannierDispatch

/// A reason not to serve on a path. Whatever it is, nothing that belongs to somebody else has been touched.
package enum SocketFault: Error, Equatable, Sendable {
  /// What stands at a path where a socket should go.
  package enum Kind: String, Sendable {
    case file = "a regular file"
    case directory = "a directory"
    case symlink = "a symbolic link"
    case other = "neither a socket nor a file"
  }

  case pathTooLong(String, bytes: Int)
  case pathNamesNoFile(String)
  case modeUnusable(UInt16)
  case directoryMissing(String)
  case directoryWritableByAll(String)
  case directoryForeign(String, owner: UInt32)
  case groupUnknown(String)
  case groupRefused(String, path: String)
  case occupied(String, by: Kind)
  case foreign(String, owner: UInt32)
  /// Somebody answers at the path, without our lock.
  case live(String)
  /// Another daemon holds the lock; nil: it has not said who it is.
  case locked(String, pid: Int32?)
  case lockUntrusted(String)
  /// A system call failed for a reason that has no case of its own.
  case system(String, path: String, code: Int32)
}

extension SocketFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .pathTooLong(let path, let bytes):
      "socket path \(path) is \(bytes) bytes long, and the system takes at most \(SocketRules.longestPathBytes)"
    case .pathNamesNoFile(let path): "socket path \"\(path)\" does not name a file"
    case .modeUnusable(let mode):
      "socket mode \(octal(mode)) does not do: it may hold permissions alone (0777), and must let the owner in (0600)"
    case .directoryMissing(let path):
      "directory \(path) does not exist, and neither does the one it would be made in"
    case .directoryWritableByAll(let path):
      "directory \(path) is writable by everyone, who could then replace the socket: use one of its own, or chmod o-w"
    case .directoryForeign(let path, let owner):
      "directory \(path) belongs to uid \(owner), who could replace the socket: it must be root's or uid \(geteuid())'s"
    case .groupUnknown(let name): "there is no group \(name)"
    case .groupRefused(let name, let path):
      "\(path) can't be given to group \(name): uid \(geteuid()) is not a member of it"
    case .occupied(let path, let kind): "\(path) is \(kind.rawValue), not a socket; it was left alone"
    case .foreign(let path, let owner): "\(path) belongs to uid \(owner); it was left alone"
    case .live(let path): "another program serves \(path)"
    case .locked(let path, let pid?): "another pannier (pid \(pid)) serves \(path)"
    case .locked(let path, nil): "another pannier serves \(path)"
    case .lockUntrusted(let path): "lock file \(path) is not a plain file of uid \(geteuid()); it was left alone"
    case .system(let call, let path, let code): "\(call) \(path): \(String(cString: strerror(code)))"
    }
  }
}

private func octal(_ mode: UInt16) -> String {
  let digits = String(mode, radix: 8)
  return String(repeating: "0", count: max(0, 4 - digits.utf8.count)) + digits
}

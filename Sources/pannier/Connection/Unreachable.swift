// Why a socket can't be reached, and what to do about it, in words.

import Glibc
import PannierDispatch

enum Unreachable {
  static func reason(_ path: String, _ code: Int32) -> String {
    switch code {
    case ENOENT:
      "no such file: is pannier running? 'pannier serve' starts it\(hint(beside: path))"
    case ENOTDIR:
      "a part of the path is not a directory"
    case ECONNREFUSED:
      isSocket(path)
        ? "refused: nobody listens there, a stale socket; 'pannier serve' starts the daemon and replaces it"
        : "it is not a socket"
    case EACCES, EPERM:
      "permission denied: \(access(path))"
    case EAGAIN:
      "the daemon is there but takes no connection; it may be stuck"
    case EPROTOTYPE:
      "it is a socket of another kind, not pannier's"
    default:
      systemReason(code)
    }
  }

  /// Names the system's own socket where that one exists and another was looked for.
  private static func hint(beside path: String) -> String {
    let systemWide = Configuration.systemSocketPath
    guard path != systemWide, status(systemWide) != nil else { return "" }
    return "; there is one at \(systemWide), which --socket or PANNIER_SOCKET can name"
  }

  /// Who may: the socket's mode, owner and group.
  private static func access(_ path: String) -> String {
    guard let status = status(path) else { return "a directory on the way can't be entered by this user" }
    let octal = String(status.st_mode & 0o7777, radix: 8)
    let mode = String(repeating: "0", count: max(0, 4 - octal.count)) + octal
    return "the socket has mode \(mode), owner \(user(status.st_uid)) and group \(group(status.st_gid));"
      + " who is neither may not connect"
  }

  private static func isSocket(_ path: String) -> Bool {
    guard let status = status(path) else { return true }
    return status.st_mode & S_IFMT == S_IFSOCK
  }

  private static func status(_ path: String) -> stat? {
    var status = stat()
    return stat(path, &status) == 0 ? status : nil
  }

  private static func user(_ id: uid_t) -> String {
    guard let entry = getpwuid(id), let name = entry.pointee.pw_name else { return "\(id)" }
    return String(cString: name)
  }

  private static func group(_ id: gid_t) -> String {
    guard let entry = getgrgid(id), let name = entry.pointee.gr_name else { return "\(id)" }
    return String(cString: name)
  }
}

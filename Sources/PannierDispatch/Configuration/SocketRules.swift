// What can be a socket's path and mode: for who reads them, and for who makes the socket. It looks at no file.

package enum SocketRules {
  /// `sun_path` has 108 bytes, of which clients and tools expect the last to be NUL.
  package static let longestPathBytes = 107

  /// The name that a path ends in; nil: it names a folder, or nothing.
  package static func name(in path: String) -> String? {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let name = slash.map { String(path[path.utf8.index(after: $0)...]) } ?? path
    return name.isEmpty || name == "." || name == ".." || path.utf8.contains(0) ? nil : name
  }

  /// The owner has to get in: the next start asks a leftover socket whether somebody is there.
  package static func isUsable(mode: UInt16) -> Bool { mode & ~0o777 == 0 && mode & 0o600 == 0o600 }
}

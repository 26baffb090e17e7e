// The names that belong to one socket path: its directory, and inside it the socket, the lock and the name a socket has
// before it is published. Names alone: nothing here looks at the file system.

import PannierDispatch

/// A path that a socket can be bound to.
struct SocketPath {
  let whole: String
  let directory: String
  let name: String

  var lockName: String { name + ".lock" }

  /// Belongs to this path alone, so whoever holds its lock may clear away what a crash left there. It must be short
  /// enough for `SocketDirectory.address(of:)`, however long the path is.
  var unpublishedName: String {
    name.utf8.count <= Self.longestPlainNameBytes ? name + ".new" : ".\(String(checksum(name), radix: 16)).new"
  }

  init(_ path: String) throws(SocketFault) {
    let bytes = path.utf8.count
    guard bytes <= SocketRules.longestPathBytes else { throw .pathTooLong(path, bytes: bytes) }
    guard let name = SocketRules.name(in: path) else { throw .pathNamesNoFile(path) }
    self.whole = path
    self.name = name
    self.directory =
      switch path.utf8.lastIndex(of: UInt8(ascii: "/")) {
      case nil: "."
      case path.startIndex: "/"
      case let end?: String(path[..<end])
      }
  }

  /// With `/proc/self/fd/` (14), a descriptor (up to 10), a slash and `.new` (4) it is within `SocketRules.longestPathBytes`.
  private static let longestPlainNameBytes = 78
}

/// FNV-1a: long names need a short one each that is the same at every start, not a secret.
private func checksum(_ name: String) -> UInt64 {
  name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01b3 }
}

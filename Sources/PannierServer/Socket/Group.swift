// A group that a socket is given to, found by name or by number.
// Whether we may give anything to it only the system can tell, when it is tried.
internal import Glibc

struct Group {
  /// As it was asked for.
  let name: String
  let number: UInt32

  /// A name goes before a number: a group may be called "1000".
  init(_ name: String) throws(SocketFault) {
    self.name = name
    if let number = Self.number(named: name) {
      self.number = number
    } else if let number = UInt32(name), number != .max {
      // The largest number is how chown is told to leave the group alone.
      self.number = number
    } else {
      throw .groupUnknown(name)
    }
  }

  private static func number(named name: String) -> UInt32? {
    var room = 4096
    while room <= mostRoomBytes {
      var buffer = [CChar](repeating: 0, count: room)
      var entry = group()
      var found: UnsafeMutablePointer<group>?
      let code = getgrnam_r(name, &entry, &buffer, buffer.count, &found)
      guard code == ERANGE else { return found == nil ? nil : entry.gr_gid }
      room *= 4
    }
    return nil
  }

  /// A group's entry lists its members; one of 16 MiB has a million.
  private static let mostRoomBytes = 16 << 20
}

// Who is at the other end of a connection, as the kernel vouches for it.
// Whether they may be there is the access list's matter.
internal import Glibc

/// The process that connected, as it was at that moment.
package struct Peer: Equatable, Sendable {
  /// For people to read, never to decide by: it is 0 across pid namespaces, and is given to another process in time.
  package let pid: Int32
  package let uid: UInt32
  package let gid: UInt32
  /// The groups it is in besides `gid`.
  package let groups: [UInt32]

  package init(pid: Int32, uid: UInt32, gid: UInt32, groups: [UInt32]) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
    self.groups = groups
  }

  /// nil where the kernel doesn't say, as for a descriptor that is no Unix socket, or one not connected.
  /// - Parameter groupRoom: how many groups are asked for at first; more only cost another call.
  package init?(descriptor: Int32, groupRoom: Int = 32) {
    // The kernel's struct ucred: pid, uid, gid. Glibc hides its name from programs that do not ask for GNU's own.
    var credentials: (pid: Int32, uid: UInt32, gid: UInt32) = (0, .max, .max)
    var bytes = socklen_t(MemoryLayout.size(ofValue: credentials))
    guard
      getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, &credentials, &bytes) == 0,
      // What nobody has connected to is answered with no ids rather than with an error.
      credentials.uid != .max
    else { return nil }
    self.init(
      pid: credentials.pid, uid: credentials.uid, gid: credentials.gid,
      groups: Self.groups(descriptor, room: groupRoom))
  }

  /// None where the kernel can't tell (before Linux 4.13, and some sandboxes): then only `gid` speaks for the peer.
  private static func groups(_ descriptor: Int32, room: Int) -> [UInt32] {
    var room = room
    while room <= mostGroups {
      var groups = [UInt32](repeating: 0, count: room)
      var bytes = socklen_t(room * MemoryLayout<UInt32>.size)
      let asked = bytes
      if getsockopt(descriptor, SOL_SOCKET, peerGroupsOption, &groups, &bytes) == 0 {
        return Array(groups.prefix(Int(bytes) / MemoryLayout<UInt32>.size))
      }
      guard errno == ERANGE, bytes > asked else { return [] }
      room = Int(bytes) / MemoryLayout<UInt32>.size
    }
    return []
  }

  /// SO_PEERGROUPS, which Swift's Glibc doesn't have; the same on every Linux we build for.
  private static let peerGroupsOption: Int32 = 59
  /// NGROUPS_MAX of the kernel.
  private static let mostGroups = 65_536
}

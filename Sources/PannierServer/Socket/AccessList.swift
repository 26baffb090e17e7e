// Who of those whom the socket's mode and group let in may stay, and who may change policies.
// It decides by ids alone; where they come from it doesn't know.
internal import Glibc
import PannierDispatch

/// The peers that are served.
package struct AccessList: Equatable, Sendable {
  /// Together with `gids`: empty, everyone is served.
  package var uids: Set<UInt32>
  package var gids: Set<UInt32>
  /// Those who may do more than others. It doesn't let them in: that takes a place in `uids` or `gids`.
  package var admins: Set<UInt32>
  /// The uid the daemon runs as: always served, always an admin. Root has no such right: it is listed or it is the owner.
  package var owner: UInt32

  package init(
    uids: Set<UInt32> = [], gids: Set<UInt32> = [], admins: Set<UInt32> = [], owner: UInt32 = geteuid()
  ) {
    self.uids = uids
    self.gids = gids
    self.admins = admins
    self.owner = owner
  }

  package func admits(_ peer: Peer) -> Bool {
    (uids.isEmpty && gids.isEmpty)
      || peer.uid == owner
      || uids.contains(peer.uid)
      || gids.contains(peer.gid)
      || (!gids.isEmpty && peer.groups.contains { gids.contains($0) })
  }

  package func isAdmin(_ peer: Peer) -> Bool {
    peer.uid == owner || admins.contains(peer.uid)
  }
}

extension AccessList {
  init(_ access: Configuration.Access) {
    self.init(uids: Set(access.uids), gids: Set(access.gids), admins: Set(access.admins))
  }
}

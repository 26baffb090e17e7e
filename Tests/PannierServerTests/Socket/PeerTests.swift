// Who a peer is, and whether it may stay.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct Peers {
  private var ownGroups: Set<UInt32> {
    var groups = [UInt32](repeating: 0, count: 65_536)
    return Set(groups.prefix(Int(getgroups(Int32(groups.count), &groups))))
  }

  @Test(arguments: [0, 1, 32]) func ofAPairIsThisProcess(groupRoom: Int) throws {
    var ends: [Int32] = [0, 0]
    #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
    defer { for end in ends { close(end) } }
    let peer = try #require(Peer(descriptor: ends[0], groupRoom: groupRoom))
    #expect(peer.pid == getpid())
    #expect(peer.uid == geteuid())
    #expect(peer.gid == getegid())
    #expect(Set(peer.groups) == ownGroups)
  }

  @Test func ofAnAcceptedConnectionIsWhoeverConnected() throws {
    let scratch = Scratch()
    let listener = foreignSocket(scratch.file("l.sock"), listening: true)
    let client = connection(to: scratch.file("l.sock"))
    let accepted = accept(listener, nil, nil)
    defer { for descriptor in [listener, client, accepted] { close(descriptor) } }
    let peer = try #require(Peer(descriptor: accepted))
    #expect(peer.pid == getpid())
    #expect(peer.uid == geteuid())
  }

  /// Few, as many as fit into what is asked for first, one more, and very many.
  @Test(.enabled(if: geteuid() == 0), arguments: [3, 32, 33, 1000])
  func hasAllItsGroups(count: Int) throws {
    let groups = (0..<count).map { UInt32(7000 + $0) }
    let peer = onOwnThread { () -> Peer? in
      var ends: [Int32] = [0, 0]
      guard joinGroups(groups), socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0 else { return nil }
      defer { for end in ends { close(end) } }
      return Peer(descriptor: ends[0])
    }
    #expect(try #require(peer ?? nil).groups == groups)
  }

  @Test func ofAnythingElseIsUnknown() {
    let lonely = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    let network = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    let file = open("/dev/null", O_RDONLY)
    for descriptor in [lonely, network, file] {
      #expect(Peer(descriptor: descriptor) == nil)
      close(descriptor)
    }
    #expect(Peer(descriptor: -1) == nil)
  }
}

@Suite struct AccessLists {
  struct Case: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let list: AccessList
    let peer: Peer
    let admitted: Bool
    let admin: Bool

    init(
      _ name: String, uids: Set<UInt32> = [], gids: Set<UInt32> = [], admins: Set<UInt32> = [],
      uid: UInt32, gid: UInt32 = 500, groups: [UInt32] = [], admitted: Bool, admin: Bool = false
    ) {
      testDescription = name
      list = AccessList(uids: uids, gids: gids, admins: admins, owner: 100)
      peer = Peer(pid: 1, uid: uid, gid: gid, groups: groups)
      self.admitted = admitted
      self.admin = admin
    }
  }

  @Test(arguments: [
    Case("nothing listed: a stranger", uid: 1000, admitted: true),
    Case("nothing listed: the owner", uid: 100, admitted: true, admin: true),
    Case("nothing listed: root", uid: 0, admitted: true),
    Case("uids: listed", uids: [1000], uid: 1000, admitted: true),
    Case("uids: a stranger", uids: [1000], uid: 1001, admitted: false),
    Case(
      "uids: a stranger with a group of that number", uids: [1000], uid: 1, gid: 1000, groups: [1000], admitted: false),
    Case("uids: the owner", uids: [1000], uid: 100, admitted: true, admin: true),
    Case("uids: root", uids: [1000], uid: 0, admitted: false),
    Case("uids: root listed", uids: [0], uid: 0, admitted: true),
    Case("gids: primary", gids: [500], uid: 1000, admitted: true),
    Case("gids: one of its groups", gids: [600], uid: 1000, groups: [550, 600], admitted: true),
    Case("gids: none of its groups", gids: [600], uid: 1000, groups: [550], admitted: false),
    Case("gids: a uid of that number", gids: [600], uid: 600, admitted: false),
    Case("gids: the owner", gids: [600], uid: 100, admitted: true, admin: true),
    Case("both: by uid", uids: [1000], gids: [600], uid: 1000, admitted: true),
    Case("both: by group", uids: [1000], gids: [600], uid: 1, groups: [600], admitted: true),
    Case("both: by neither", uids: [1000], gids: [600], uid: 1, admitted: false),
    Case("admins: listed, everyone served", admins: [7], uid: 7, admitted: true, admin: true),
    Case("admins: root is none by itself", admins: [7], uid: 0, admitted: true),
    Case("admins: not let in by that alone", uids: [1000], admins: [7], uid: 7, admitted: false, admin: true),
  ]) func table(row: Case) {
    #expect(row.list.admits(row.peer) == row.admitted)
    #expect(row.list.isAdmin(row.peer) == row.admin)
  }

  @Test func theOwnerIsWhoeverRunsTheDaemon() {
    #expect(AccessList().owner == geteuid())
  }
}

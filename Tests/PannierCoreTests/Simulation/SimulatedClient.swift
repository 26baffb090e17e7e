// Who takes part in the simulation, and what each is about. They decide nothing.

@testable import PannierCore

/// A key that all ask for. Every value of it bears its tag.
struct SimulatedKey {
  let ns: NamespaceID
  let name: String
  let tag: String

  init(_ ns: NamespaceID, _ name: String, tag: String) {
    self.ns = ns
    self.name = name
    self.tag = tag
  }

  func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
    var name = name
    return try name.withUTF8 { try body(UnsafeRawBufferPointer($0)) }
  }
}

/// A connection, and what it does at the moment: one thing.
struct SimulatedClient {
  enum State {
    case idle
    case waiting(WaitTicket, SimulatedRead)
    case loading(SimulatedLoad)
  }

  let owner: OwnerID
  var state = State.idle

  init(owner: OwnerID) { self.owner = owner }

  var asker: Asker { Asker(owner: owner, caller: Caller(pid: Int32(truncatingIfNeeded: owner), uid: 1)) }

  var ticket: WaitTicket? {
    if case .waiting(let ticket, _) = state { return ticket }
    return nil
  }
}

/// A `get`, from when it was asked.
struct SimulatedRead {
  let key: Int
  let options: Cache.ReadOptions
  let since: Int64
  let until: Int64
  /// As they were then.
  let floors: Floors
}

/// What a client does under a lease: it reads the source, and later stores what it read.
struct SimulatedLoad {
  let key: Int
  let token: LeaseToken
  var version: Int?

  func reading(_ version: Int) -> SimulatedLoad {
    var load = self
    load.version = version
    return load
  }
}

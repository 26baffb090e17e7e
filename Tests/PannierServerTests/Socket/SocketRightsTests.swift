// The rights of a socket at each step of its making, whatever the umask, and the directory it stands in.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

private let isRoot = geteuid() == 0
private let nobody: UInt32 = 65_534
/// A group that nobody who runs these tests is in.
private let strangeGroup = "54321"

private func fault(_ path: String, mode: UInt16 = 0o660, group: String? = nil) -> SocketFault? {
  do throws(SocketFault) {
    let file = try SocketFile.claim(path: path, mode: mode, group: group)
    close(file.descriptor)
    return nil
  } catch {
    return error
  }
}

@Suite struct SocketModes {
  struct Seen: Equatable, Sendable {
    var bound: UInt16?
    var claimed: UInt16?
    var published: UInt16?
    var umask: mode_t?
  }

  /// Looked at after each step, in the directory, as an observer would.
  @Test(arguments: [0, 0o022, 0o077, 0o117] as [mode_t], [0o600, 0o660, 0o666, 0o777] as [UInt16])
  func neverMoreOpenThanAsked(mask: mode_t, mode: UInt16) throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let seen = onOwnThread {
      umask(mask)
      var seen = Seen()
      if let directory = try? SocketDirectory.open(scratch.path, group: nil),
        let bound = try? UnpublishedSocket.bind(in: directory, name: "bound", mode: mode, for: path)
      {
        seen.bound = permissions(scratch.file("bound"))
        _ = bound.number
      }
      if let file = try? SocketFile.claim(path: path, mode: mode, group: nil) {
        seen.claimed = permissions(path + ".new")
        _ = try? file.publish()
        seen.published = permissions(path)
        close(file.descriptor)
      }
      seen.umask = umask(0)
      return seen
    }
    let result = try #require(seen)
    // Before it has its group, at most what the owner will have.
    #expect(try #require(result.bound) & ~(mode & 0o700) == 0)
    #expect(result.claimed == mode)
    #expect(result.published == mode)
    #expect(result.umask == mask)
  }

  @Test(arguments: [0, 0o060, 0o400, 0o200, 0o1660, 0o4600, 0o10660] as [UInt16])
  func aModeThatIsNoneIsRefused(mode: UInt16) {
    let scratch = Scratch()
    #expect(fault(scratch.file("p.sock"), mode: mode) == .modeUnusable(mode))
    #expect(scratch.names == [])
  }
}

@Suite struct SocketGroups {
  @Test func anUnknownOneIsRefusedBeforeAnythingIsMade() {
    let scratch = Scratch()
    #expect(fault(scratch.file("run/p.sock"), group: "no-such-group") == .groupUnknown("no-such-group"))
    #expect(scratch.names == [])
  }

  /// -1 is how chown is told to leave the group as it is.
  @Test(arguments: ["4294967295", "4294967296", "-1", ""]) func aNumberThatIsNoGroupIsRefused(group: String) {
    let scratch = Scratch()
    #expect(fault(scratch.file("p.sock"), group: group) == .groupUnknown(group))
  }

  @Test func oneThatIsNotOursIsRefusedAndNothingIsLeft() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let refused = onOwnThread { () -> SocketFault? in
      if isRoot, !dropRightToGiveFilesAway() { return nil }
      return fault(path, group: strangeGroup)
    }
    #expect(refused == .some(.groupRefused(strangeGroup, path: path)))
    #expect(scratch.names == [])
  }

  @Test func aDirectoryThatCannotBeGivenAwayIsNotLeft() {
    let scratch = Scratch()
    let path = scratch.file("run/p.sock")
    let refused = onOwnThread { () -> SocketFault? in
      if isRoot, !dropRightToGiveFilesAway() { return nil }
      return fault(path, group: strangeGroup)
    }
    #expect(refused == .some(.groupRefused(strangeGroup, path: scratch.file("run"))))
    #expect(scratch.names == [])
  }

  @Test(.enabled(if: isRoot), arguments: ["54321", "daemon"])
  func theSocketAndADirectoryMadeForItAreGiven(group: String) throws {
    let number = try #require(UInt32(group) ?? getgrnam(group)?.pointee.gr_gid)
    let scratch = Scratch()
    let path = scratch.file("run/p.sock")
    let file = try SocketFile.claim(path: path, mode: 0o660, group: group)
    defer { close(file.descriptor) }
    #expect(status(path + ".new")?.st_gid == number)
    #expect(permissions(path + ".new") == 0o660)
    #expect(status(scratch.file("run"))?.st_gid == number)
    #expect(status(scratch.file("run"))?.st_uid == geteuid())
  }
}

@Suite struct SocketDirectories {
  @Test(arguments: [0, 0o077] as [mode_t]) func theOneThatIsMissingIsMade(mask: mode_t) {
    let scratch = Scratch()
    let made = onOwnThread { () -> SocketFault? in
      umask(mask)
      return fault(scratch.file("run/p.sock"))
    }
    #expect(made == .some(nil))
    #expect(permissions(scratch.file("run")) == 0o750)
  }

  @Test func twoThatAreMissingAreNotMade() {
    let scratch = Scratch()
    #expect(fault(scratch.file("a/b/p.sock")) == .directoryMissing(scratch.file("a/b")))
    #expect(scratch.names == [])
  }

  @Test func oneThatIsThereKeepsItsMode() {
    let scratch = Scratch()
    mkdir(scratch.file("run"), 0o700)
    #expect(fault(scratch.file("run/p.sock")) == nil)
    #expect(permissions(scratch.file("run")) == 0o700)
  }

  @Test(arguments: [(0o777, false), (0o702, false), (0o1777, true), (0o770, true), (0o755, true)] as [(mode_t, Bool)])
  func writableByAllOnlyWithTheStickyBit(mode: mode_t, allowed: Bool) {
    let scratch = Scratch()
    chmod(scratch.path, mode)
    #expect(fault(scratch.file("p.sock")) == (allowed ? nil : .directoryWritableByAll(scratch.path)))
  }

  @Test(.enabled(if: isRoot)) func oneOfSomebodyElseIsRefused() {
    let scratch = Scratch()
    chown(scratch.path, nobody, nobody)
    #expect(fault(scratch.file("p.sock")) == .directoryForeign(scratch.path, owner: nobody))
  }

  @Test func aFileIsNoDirectory() {
    let scratch = Scratch()
    write("", to: scratch.file("run"))
    #expect(fault(scratch.file("run/p.sock")) == .system("open", path: scratch.file("run"), code: ENOTDIR))
  }

  @Test func aPathMayBeRelative() {
    let scratch = Scratch()
    let faults = onOwnThread { () -> [SocketFault?] in
      chdir(scratch.path)
      return ["./run/p.sock", "run/p.sock", "p.sock", "./p.sock", "run//p.sock"].map { fault($0) }
    }
    #expect(faults == [nil, nil, nil, nil, nil])
    #expect(scratch.names == ["run"])
  }
}

@Suite struct SocketPaths {
  /// The last byte of the name is what makes the length, so that all but the last case are the same directory.
  @Test(arguments: [(106, true), (107, true), (108, false), (200, false)])
  func theSystemsLimit(bytes: Int, fits: Bool) throws {
    let scratch = Scratch()
    let path = scratch.file(String(repeating: "s", count: bytes - scratch.path.utf8.count - 1))
    try expect(path, fits)
  }

  /// The name alone is then as long as a path may be: what is beside it must have room all the same.
  @Test(arguments: [(78, true), (79, true), (107, true), (108, false)])
  func aLongNameInTheWorkingDirectory(bytes: Int, fits: Bool) throws {
    let scratch = Scratch()
    let name = String(repeating: "s", count: bytes)
    let outcome = onOwnThread { () -> Bool in
      chdir(scratch.path)
      do {
        try expect(name, fits)
        return true
      } catch {
        return false
      }
    }
    #expect(outcome == true)
    #expect(scratch.names == [])
  }

  private func expect(_ path: String, _ fits: Bool) throws {
    if fits {
      let file = try SocketFile.claim(path: path, mode: 0o600, group: nil)
      #expect(listen(file.descriptor, 1) == 0)
      try file.publish()
      let client = connection(to: path)
      #expect(client >= 0)
      close(client)
      close(file.descriptor)
    } else {
      let refused = try #require(fault(path))
      #expect(refused == .pathTooLong(path, bytes: path.utf8.count))
      #expect("\(refused)".hasSuffix("is \(path.utf8.count) bytes long, and the system takes at most 107"))
    }
  }

  /// Bytes count, not characters.
  @Test func umlautsAreTwoBytes() {
    let path = "/tmp/" + String(repeating: "ü", count: 52)
    #expect(fault(path) == .pathTooLong(path, bytes: 109))
  }

  @Test(arguments: ["", "/", "run/", ".", "..", "run/.", "run/..", "a\0b"]) func aPathThatNamesNoFile(path: String) {
    #expect(fault(path) == .pathNamesNoFile(path))
  }

  @Test func theNamesBesideIt() throws {
    let path = try SocketPath("/run/pannier/pannier.sock")
    #expect(path.directory == "/run/pannier")
    #expect(path.name == "pannier.sock")
    #expect(path.lockName == "pannier.sock.lock")
    #expect(path.unpublishedName == "pannier.sock.new")
    #expect(try SocketPath("/p.sock").directory == "/")
    #expect(try SocketPath("p.sock").directory == ".")
    let long = try SocketPath(String(repeating: "a", count: 100))
    let other = try SocketPath(String(repeating: "a", count: 99) + "b")
    #expect(long.unpublishedName.utf8.count <= 24)
    #expect(long.unpublishedName != other.unpublishedName)
  }
}

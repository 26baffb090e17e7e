// Taking a socket path: who gets it, with which rights, and what is left when it is given back.
import Glibc
import Testing

@testable import PannierDispatch
@testable import PannierServer

private let isRoot = geteuid() == 0
private let nobody: UInt32 = 65_534

private func fault(_ path: String, mode: UInt16 = 0o660, group: String? = nil) -> SocketFault? {
  do throws(SocketFault) {
    let file = try SocketFile.claim(path: path, mode: mode, group: group)
    close(file.descriptor)
    return nil
  } catch {
    return error
  }
}

/// Claims, listens and publishes, as the daemon does.
private func serve(_ path: String, mode: UInt16 = 0o660, group: String? = nil) throws -> SocketFile {
  let file = try SocketFile.claim(path: path, mode: mode, group: group)
  #expect(listen(file.descriptor, 8) == 0)
  try file.publish()
  return file
}

private func connects(_ path: String) -> Bool {
  let made = connection(to: path)
  if made >= 0 { close(made) }
  return made >= 0
}

@Suite struct SocketFileLife {
  @Test func appearsOnlyWhenPublishedAndLeavesNothing() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try SocketFile.claim(path: path, mode: 0o660, group: nil)
    #expect(scratch.names == ["p.sock.lock", "p.sock.new"])
    #expect(contents(path + ".lock") == "\(getpid())\n")
    #expect(permissions(path + ".lock") == 0o600)
    #expect(listen(file.descriptor, 8) == 0)
    try file.publish()
    #expect(scratch.names == ["p.sock", "p.sock.lock"])
    #expect(connects(path))
    file.withdraw()
    #expect(scratch.names == [])
    close(file.descriptor)
  }

  @Test func aDescriptorIsNeitherInheritedNorBlocking() throws {
    let scratch = Scratch()
    let file = try SocketFile.claim(path: scratch.file("p.sock"), mode: 0o660, group: nil)
    #expect(fcntl(file.descriptor, F_GETFD) & FD_CLOEXEC != 0)
    #expect(fcntl(file.descriptor, F_GETFL) & O_NONBLOCK != 0)
    close(file.descriptor)
  }

  @Test func aThousandTimesLeavesNoDescriptorAndNoFile() throws {
    let scratch = Scratch()
    for _ in 0..<1000 {
      let file = try serve(scratch.file("p.sock"))
      file.withdraw()
      close(file.descriptor)
    }
    #expect(scratch.names == [])
    // Counted by what is open in the scratch directory: other tests have descriptors of their own.
    let open = Scratch.names(in: "/proc/self/fd").count { name in
      var buffer = [CChar](repeating: 0, count: 4096)
      let count = readlink("/proc/self/fd/\(name)", &buffer, buffer.count)
      return String(decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)), as: UTF8.self)
        .hasPrefix(scratch.path)
    }
    #expect(open == 0)
  }

  @Test func unpublishingKeepsTheLock() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try serve(path)
    defer { close(file.descriptor) }
    file.unpublish()
    #expect(scratch.names == ["p.sock.lock"])
    #expect(fault(path) == .locked(path, pid: getpid()))
    file.withdraw()
    #expect(fault(path) == nil)
  }

  @Test func whatIsAtThePathByThenIsLeftAlone() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try serve(path)
    unlink(path)
    write("theirs", to: path)
    file.withdraw()
    #expect(contents(path) == "theirs")
    #expect(scratch.names == ["p.sock"])
    close(file.descriptor)
  }

  @Test func withdrawingBeforePublishingRemovesTheUnpublishedSocket() throws {
    let scratch = Scratch()
    let file = try SocketFile.claim(path: scratch.file("p.sock"), mode: 0o660, group: nil)
    file.withdraw()
    #expect(scratch.names == [])
    try file.publish()  // Too late, and harmless.
    #expect(scratch.names == [])
    close(file.descriptor)
  }

  @Test func publishingDoesNotReplaceWhatCameMeanwhile() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try SocketFile.claim(path: path, mode: 0o660, group: nil)
    defer { close(file.descriptor) }
    let theirs = foreignSocket(path, listening: true)
    defer { close(theirs) }
    #expect(throws: SocketFault.live(path)) { try file.publish() }
    #expect(connects(path))
  }
}

@Suite struct SocketFileOwnership {
  @Test func theSecondIsToldWhoServes() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try serve(path)
    defer { close(file.descriptor) }
    #expect(fault(path) == .locked(path, pid: getpid()))
    #expect("\(try #require(fault(path)))" == "another pannier (pid \(getpid())) serves \(path)")
    #expect(connects(path))
  }

  @Test func aLiveSocketWithoutOurLockIsNotStolen() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let theirs = foreignSocket(path, listening: true)
    defer { close(theirs) }
    #expect(fault(path) == .live(path))
    #expect(connects(path))
    #expect(scratch.names == ["p.sock"])
  }

  @Test func aLiveSocketWhoseLockWasRemovedIsNotStolen() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let file = try serve(path)
    defer { close(file.descriptor) }
    unlink(path + ".lock")
    #expect(fault(path) == .live(path))
    #expect(connects(path))
  }

  @Test func aLiveDatagramSocketIsNotStolen() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let theirs = foreignSocket(path, listening: false, type: SOCK_DGRAM)
    defer { close(theirs) }
    #expect(fault(path) == .live(path))
  }

  /// What a daemon leaves behind, by the instant it was killed at.
  @Test(arguments: [
    (locked: true, unpublished: false, published: false), (locked: true, unpublished: true, published: false),
    (locked: true, unpublished: true, published: true), (locked: true, unpublished: false, published: true),
    (locked: false, unpublished: false, published: true),
  ])
  func startsAfterACrash(locked: Bool, unpublished: Bool, published: Bool) throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    if locked { write("4194304\n", to: path + ".lock") }
    if unpublished { close(foreignSocket(path + ".new", listening: false)) }
    if published { close(foreignSocket(path, listening: true)) }
    let file = try serve(path)
    #expect(connects(path))
    #expect(scratch.names == ["p.sock", "p.sock.lock"])
    #expect(contents(path + ".lock") == "\(getpid())\n")
    file.withdraw()
    #expect(scratch.names == [])
    close(file.descriptor)
  }

  @Test func aLiveSocketUnderTheUnpublishedNameIsNotRemoved() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    let theirs = foreignSocket(path + ".new", listening: true)
    defer { close(theirs) }
    #expect(fault(path) == .live(path + ".new"))
    #expect(scratch.names == ["p.sock.new"])
  }

  @Test func aRegularFileIsLeftAlone() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    write("precious", to: path)
    #expect(fault(path) == .occupied(path, by: .file))
    #expect(contents(path) == "precious")
    #expect(scratch.names == ["p.sock"])
  }

  @Test func aDirectoryIsLeftAlone() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    mkdir(path, 0o700)
    #expect(fault(path) == .occupied(path, by: .directory))
    #expect(scratch.names == ["p.sock"])
  }

  @Test func aPipeIsLeftAlone() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    mkfifo(path, 0o600)
    #expect(fault(path) == .occupied(path, by: .other))
  }

  /// Also where it leads to a socket that could be replaced, or nowhere.
  @Test(arguments: ["stale.sock", "nowhere"]) func aSymbolicLinkIsNotFollowed(target: String) {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    close(foreignSocket(scratch.file("stale.sock"), listening: false))
    symlink(scratch.file(target), path)
    #expect(fault(path) == .occupied(path, by: .symlink))
    #expect(scratch.names == ["p.sock", "stale.sock"])
  }

  @Test(.enabled(if: isRoot)) func aSocketOfSomebodyElseIsLeftAlone() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    close(foreignSocket(path, listening: false))
    chown(path, nobody, nobody)
    #expect(fault(path) == .foreign(path, owner: nobody))
    #expect(scratch.names == ["p.sock"])
  }
}

@Suite struct SocketLocks {
  @Test func aSymbolicLinkIsNotFollowed() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    write("precious", to: scratch.file("other"))
    symlink(scratch.file("other"), path + ".lock")
    #expect(fault(path) == .lockUntrusted(path + ".lock"))
    #expect(contents(scratch.file("other")) == "precious")
  }

  @Test func aFileThatStandsElsewhereTooIsNotWrittenTo() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    write("precious", to: scratch.file("other"))
    link(scratch.file("other"), path + ".lock")
    #expect(fault(path) == .lockUntrusted(path + ".lock"))
    #expect(contents(scratch.file("other")) == "precious")
  }

  @Test func aPipeOrDirectoryIsRefusedWithoutWaiting() {
    let scratch = Scratch()
    mkfifo(scratch.file("a.lock"), 0o600)
    mkdir(scratch.file("b.lock"), 0o700)
    #expect(fault(scratch.file("a")) == .lockUntrusted(scratch.file("a.lock")))
    #expect(fault(scratch.file("b")) == .lockUntrusted(scratch.file("b.lock")))
  }

  @Test(.enabled(if: isRoot)) func aFileOfSomebodyElseIsRefused() {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    write("", to: path + ".lock")
    chown(path + ".lock", nobody, nobody)
    #expect(fault(path) == .lockUntrusted(path + ".lock"))
  }

  @Test func endsWithAHolderThatIsKilled() throws {
    let scratch = Scratch()
    let path = scratch.file("p.sock")
    // The pid stays the same through both exec calls, and the lock's descriptor is inherited by the last.
    let child = try Child(
      "echo $$ > \"$0\"; exec flock --no-fork -n \"$0\" sh -c 'echo ready; exec sleep 600'", path + ".lock")
    #expect(child.firstLine() == "ready\n")
    #expect(fault(path) == .locked(path, pid: child.pid))
    child.kill()
    let file = try serve(path)
    #expect(connects(path))
    file.withdraw()
    #expect(scratch.names == [])
    close(file.descriptor)
  }

  /// Each lets go by removing the file that the others may just have opened: still at most one may hold it.
  @Test func neverHasTwoHolders() async {
    let scratch = Scratch()
    let directoryPath = scratch.path
    @Sendable func contend() -> (won: Int, met: Int) {
      var won = 0
      var met = 0
      for _ in 0..<2000 {
        guard let directory = try? SocketDirectory.open(directoryPath, group: nil),
          let lock = try? SocketLock.take(in: directory, name: "p.sock.lock", for: "p.sock")
        else { continue }
        withExtendedLifetime(lock) {
          won += 1
          if mkdir("\(directoryPath)/inside", 0o700) != 0 { met += 1 }
          rmdir("\(directoryPath)/inside")
        }
      }
      return (won, met)
    }
    let met = await withTaskGroup(of: (won: Int, met: Int).self) { group in
      for _ in 0..<2 { group.addTask { contend() } }
      return await group.reduce(into: 0) { met, counts in
        #expect(counts.won > 0)
        met += counts.met
      }
    }
    #expect(met == 0)
  }
}

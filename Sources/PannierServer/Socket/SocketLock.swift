// The lock that makes one daemon of all that could serve a path: a file beside the socket, locked for the holder's life.
// The kernel lets go of it when the holder dies, however it dies. It doesn't know about the socket.
internal import Glibc

/// Held while it exists; letting go of it removes the file.
final class SocketLock {
  private let directory: SocketDirectory
  private let name: String
  private let descriptor: Int32
  private let identity: DirectoryEntry.Identity

  /// A holder unlinks the file before it lets go, so a lock got on a file that has no name any more excludes nobody:
  /// then it is taken again, on the file that has the name now.
  /// - Parameter path: what the lock is for, as faults should call it.
  static func take(in directory: SocketDirectory, name: String, for path: String) throws(SocketFault) -> SocketLock {
    for _ in 0..<attempts {
      let opened = try open(name, in: directory, lockPath: path + ".lock")
      guard flock(opened.number, LOCK_EX | LOCK_NB) == 0 else {
        guard errno == EWOULDBLOCK else { throw .system("lock", path: path + ".lock", code: errno) }
        throw .locked(path, pid: holder(opened.number))
      }
      let identity = try status(of: opened, path: path + ".lock").identity
      guard try directory.entry(name)?.identity == identity else { continue }
      return SocketLock(directory, name, opened.release(), identity)
    }
    throw .locked(path, pid: nil)
  }

  /// Each takes another daemon that gives the lock back at the very moment: more than a few are no accident.
  private static let attempts = 100

  private init(_ directory: SocketDirectory, _ name: String, _ descriptor: Int32, _ identity: DirectoryEntry.Identity) {
    self.directory = directory
    self.name = name
    self.descriptor = descriptor
    self.identity = identity
    // The pid is for the message that a second daemon prints: without it the lock holds just as well.
    let line = "\(getpid())\n"
    ftruncate(descriptor, 0)
    pwrite(descriptor, line, line.utf8.count, 0)
  }

  deinit {
    directory.remove(name, identity)
    close(descriptor)
  }
}

extension SocketLock {
  private static func open(
    _ name: String, in directory: SocketDirectory, lockPath: String
  ) throws(SocketFault) -> OwnedDescriptor {
    // O_NONBLOCK: opening a pipe that somebody left there must not wait.
    let flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK
    guard let opened = OwnedDescriptor(openat(directory.descriptor, name, flags, 0o600)) else {
      let code = errno
      if let entry = try directory.entry(name), !isTrusted(entry) { throw .lockUntrusted(lockPath) }
      throw .system("open", path: lockPath, code: code)
    }
    guard isTrusted(try status(of: opened, path: lockPath)) else { throw .lockUntrusted(lockPath) }
    return opened
  }

  /// With more than one link, writing our pid would be writing to a file of ours that stands elsewhere too.
  private static func isTrusted(_ entry: DirectoryEntry) -> Bool {
    entry.owner == geteuid() && entry.kindUnlessSocket == .file && entry.links <= 1
  }

  private static func status(
    of opened: borrowing OwnedDescriptor, path: String
  ) throws(SocketFault) -> DirectoryEntry {
    var status = stat()
    guard fstat(opened.number, &status) == 0 else { throw .system("stat", path: path, code: errno) }
    return DirectoryEntry(status)
  }

  private static func holder(_ descriptor: Int32) -> Int32? {
    var buffer = [UInt8](repeating: 0, count: 16)
    let count = pread(descriptor, &buffer, buffer.count, 0)
    guard count > 0 else { return nil }
    let digits = buffer[..<count].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    return Int32(String(decoding: digits, as: UTF8.self))
  }
}

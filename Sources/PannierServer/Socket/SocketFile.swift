// The path clients connect to, from the moment it is ours until it is given back: who may have it, in which order it comes
// to be, and what of it is removed. It doesn't listen or accept.
//
// Whatever instant the daemon is killed at, the next start works: the kernel drops the lock, the unpublished socket has a
// name that only the lock's holder uses, and a published one that nobody answers at is replaced.
internal import Glibc
import PannierDispatch

/// One path, held by a lock that no other daemon gets while this exists. Used from one thread.
package final class SocketFile {
  package let path: String
  /// Bound, not yet listening. It is the caller's: it is closed by whoever listens on it, never here.
  package let descriptor: Int32

  private let names: SocketPath
  private let directory: SocketDirectory
  private let identity: DirectoryEntry.Identity
  private var lock: SocketLock?
  private var stage = Stage.unpublished

  private enum Stage { case unpublished, published, gone }

  /// Takes the path, and binds a socket that `publish()` will put there.
  /// - Parameters:
  ///   - mode: exactly the file's mode, whatever the umask, and at no instant is it open to more.
  ///   - group: name or number of the group the file is given to; nil: the one the system chooses.
  package static func claim(path: String, mode: UInt16, group: String?) throws(SocketFault) -> SocketFile {
    let names = try SocketPath(path)
    guard SocketRules.isUsable(mode: mode) else { throw .modeUnusable(mode) }
    let group: Group? = if let group { try Group(group) } else { nil }
    let directory = try SocketDirectory.open(names.directory, group: group)
    let lock = try SocketLock.take(in: directory, name: names.lockName, for: path)
    try requireReplaceable(names.name, at: path, in: directory)
    try clearUnpublished(names, directory)
    let name = names.unpublishedName
    let socket = try UnpublishedSocket.bind(in: directory, name: name, mode: mode, for: path)
    let identity = try UnpublishedSocket.identity(in: directory, name: name, for: path)
    // From here on whatever fails takes the socket with it, before the lock.
    let file = SocketFile(names, directory, lock, identity, socket.number)
    try UnpublishedSocket.open(in: directory, name: name, mode: mode, group: group, for: path)
    _ = socket.release()
    return file
  }

  /// Puts the socket at its path, in one step and over a stale one. Call it once the descriptor listens: then whoever
  /// finds the path can connect.
  package func publish() throws(SocketFault) {
    guard stage == .unpublished else { return }
    // Claiming was a while ago, and a program that takes no lock of ours may have come in between.
    try Self.requireReplaceable(names.name, at: path, in: directory)
    guard renameat(directory.descriptor, names.unpublishedName, directory.descriptor, names.name) == 0 else {
      throw .system("rename", path: path, code: errno)
    }
    stage = .published
  }

  /// Removes the path, if it is still ours, and keeps the lock: for the time when what is in flight is still answered
  /// and no other daemon should begin.
  package func unpublish() {
    switch stage {
    case .unpublished: directory.remove(names.unpublishedName, identity)
    case .published: directory.remove(names.name, identity)
    case .gone: break
    }
    stage = .gone
  }

  /// Removes what `unpublish()` does, and lets go of the lock. A second time it does nothing.
  package func withdraw() {
    unpublish()
    lock = nil
  }

  private init(
    _ names: SocketPath, _ directory: SocketDirectory, _ lock: SocketLock, _ identity: DirectoryEntry.Identity,
    _ descriptor: Int32
  ) {
    self.path = names.whole
    self.names = names
    self.directory = directory
    self.lock = lock
    self.identity = identity
    self.descriptor = descriptor
  }

  deinit { withdraw() }
}

extension SocketFile {
  /// Nothing there, or a socket of ours that nobody answers at. The lock alone doesn't tell: it may have been removed, or
  /// the program that answers may not be a pannier.
  private static func requireReplaceable(
    _ name: String, at address: String, in directory: SocketDirectory
  ) throws(SocketFault) {
    guard let entry = try directory.entry(name) else { return }
    let path = directory.path == "." ? name : "\(directory.path)/\(name)"
    if let kind = entry.kindUnlessSocket { throw .occupied(path, by: kind) }
    guard entry.owner == geteuid() else { throw .foreign(path, owner: entry.owner) }
    let probe = try streamSocket(for: path)
    switch try connectSocket(probe.number, to: address) {
    case ECONNREFUSED, ENOENT: return
    // EAGAIN: its backlog is full. EPROTOTYPE: it is no stream socket, but it is bound to one.
    case 0, EAGAIN, EINPROGRESS, EPROTOTYPE: throw .live(path)
    case let code: throw .system("connect", path: path, code: code)
    }
  }

  /// Removes what a killed daemon left under the unpublished name, with the same care as for the path itself.
  private static func clearUnpublished(_ names: SocketPath, _ directory: SocketDirectory) throws(SocketFault) {
    let name = names.unpublishedName
    guard let entry = try directory.entry(name) else { return }
    try requireReplaceable(name, at: directory.address(of: name), in: directory)
    directory.remove(name, entry.identity)
  }
}

// A socket under a name that no client knows: bound with no more rights than it will have, then given to its group, then
// opened to its mode. Where it is published, and whether it may be, it doesn't know.
internal import Glibc

/// The steps by which a socket gets its rights, each of which may stop.
enum UnpublishedSocket {
  /// Linux gives the file the mode that the descriptor has, less the umask. The group isn't right yet, so only the
  /// owner's part is given; and the umask, being the whole process's, is left alone.
  static func bind(
    in directory: SocketDirectory, name: String, mode: UInt16, for path: String
  ) throws(SocketFault) -> OwnedDescriptor {
    let socket = try streamSocket(for: path)
    guard fchmod(socket.number, mode_t(mode & 0o700)) == 0 else { throw .system("chmod", path: path, code: errno) }
    let code = try bindSocket(socket.number, to: directory.address(of: name))
    guard code == 0 else { throw .system("bind", path: path, code: code) }
    return socket
  }

  static func identity(
    in directory: SocketDirectory, name: String, for path: String
  ) throws(SocketFault) -> DirectoryEntry.Identity {
    guard let entry = try directory.entry(name) else { throw .system("stat", path: path, code: ENOENT) }
    return entry.identity
  }

  /// Gives the file its group and then its mode, and makes sure of both.
  static func open(
    in directory: SocketDirectory, name: String, mode: UInt16, group: Group?, for path: String
  ) throws(SocketFault) {
    if let group, fchownat(directory.descriptor, name, .max, group.number, AT_SYMLINK_NOFOLLOW) != 0 {
      throw errno == EPERM ? .groupRefused(group.name, path: path) : .system("chown", path: path, code: errno)
    }
    guard fchmodat(directory.descriptor, name, mode_t(mode), 0) == 0 else {
      throw .system("chmod", path: path, code: errno)
    }
    // Some file systems (vfat, some network ones) take a mode and do not keep it.
    guard let entry = try directory.entry(name), entry.permissions == mode, group == nil || entry.group == group?.number
    else { throw .system("chmod", path: path, code: ENOTSUP) }
  }
}

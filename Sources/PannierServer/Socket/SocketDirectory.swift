// The directory a socket stands in: opened once, made if it is the only thing missing, and refused where others could
// replace what is in it. It doesn't know what the files in it are for.
internal import Glibc

/// A directory that was checked, and stays the same one whatever its path comes to mean.
final class SocketDirectory {
  let path: String
  let descriptor: Int32

  /// - Parameter group: whom a directory made here is given to, so that those who may connect can get in.
  static func open(_ path: String, group: Group?) throws(SocketFault) -> SocketDirectory {
    if let found = OwnedDescriptor(Glibc.open(path, flags)) {
      return try SocketDirectory(path: path, checking: found)
    }
    guard errno == ENOENT else { throw .system("open", path: path, code: errno) }
    try make(path, group: group)
    guard let made = OwnedDescriptor(Glibc.open(path, flags | O_NOFOLLOW)) else {
      throw .system("open", path: path, code: errno)
    }
    return try SocketDirectory(path: path, checking: made)
  }

  /// Where `name` stands in this directory; nil: nowhere. Links are not followed.
  func entry(_ name: String) throws(SocketFault) -> DirectoryEntry? {
    var status = stat()
    if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return DirectoryEntry(status) }
    guard errno == ENOENT else { throw .system("stat", path: "\(path)/\(name)", code: errno) }
    return nil
  }

  /// Unlinks `name` if it is still `identity`.
  func remove(_ name: String, _ identity: DirectoryEntry.Identity) {
    guard let found = try? entry(name), found.identity == identity else { return }
    unlinkat(descriptor, name, 0)
  }

  /// Owner and mode of the directory itself are what counts, and not those of the ones above: a mount that everybody may
  /// write to (a Kubernetes emptyDir) is no harm as long as the socket has a directory of its own in it.
  private init(path: String, checking opened: consuming OwnedDescriptor) throws(SocketFault) {
    var status = stat()
    guard fstat(opened.number, &status) == 0 else { throw .system("stat", path: path, code: errno) }
    guard status.st_uid == 0 || status.st_uid == geteuid() else {
      throw .directoryForeign(path, owner: status.st_uid)
    }
    guard status.st_mode & S_IWOTH == 0 || status.st_mode & S_ISVTX != 0 else { throw .directoryWritableByAll(path) }
    self.path = path
    self.descriptor = opened.release()
  }

  private static let flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC

  /// One level only: a path that is missing further up is more likely mistyped.
  private static func make(_ path: String, group: Group?) throws(SocketFault) {
    guard mkdir(path, 0o700) == 0 else {
      switch errno {
      case EEXIST: return
      case ENOENT: throw .directoryMissing(path)
      default: throw .system("mkdir", path: path, code: errno)
      }
    }
    guard let made = OwnedDescriptor(Glibc.open(path, flags | O_NOFOLLOW)) else {
      throw .system("open", path: path, code: errno)
    }
    if let group, fchown(made.number, .max, group.number) != 0 {
      let code = errno
      rmdir(path)
      throw code == EPERM ? .groupRefused(group.name, path: path) : .system("chown", path: path, code: code)
    }
    // Set once the group is right, and by itself: mkdir would have let the umask take from it.
    guard fchmod(made.number, 0o750) == 0 else { throw .system("chmod", path: path, code: errno) }
  }

  deinit { close(descriptor) }
}

// What stands at a name, as far as a socket path has to know: which file it is, whose, and whether it is a socket.
// It says nothing of what to do about it.
internal import Glibc

struct DirectoryEntry {
  /// Tells whether a name still means the same file.
  struct Identity: Equatable {
    let device: UInt
    let inode: UInt
  }

  let identity: Identity
  let owner: UInt32
  let group: UInt32
  let permissions: UInt16
  let links: UInt
  private let type: UInt32

  init(_ status: stat) {
    identity = Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    owner = status.st_uid
    group = status.st_gid
    permissions = UInt16(status.st_mode & 0o7777)
    links = UInt(status.st_nlink)
    type = status.st_mode & S_IFMT
  }

  /// What stands at `path`, a link itself and not where it leads; nil: nothing that can be seen.
  init?(at path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  /// nil: it is a socket.
  var kindUnlessSocket: SocketFault.Kind? {
    switch type {
    case S_IFSOCK: nil
    case S_IFREG: .file
    case S_IFDIR: .directory
    case S_IFLNK: .symlink
    default: .other
    }
  }
}

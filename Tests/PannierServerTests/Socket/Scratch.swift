// A directory of its own for a test, and the few calls by which tests look at files and sockets from outside.
import Glibc

/// Made with mode 0700 under the temporary directory, and removed with all that is in it.
final class Scratch: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/pannier-test-XXXXXX".utf8CString)
    path = mkdtemp(&template).map { String(cString: $0) } ?? "/nonexistent"
  }

  func file(_ name: String) -> String { "\(path)/\(name)" }

  var names: [String] { Self.names(in: path) }

  static func names(in path: String) -> [String] {
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) {
        String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  private static func remove(_ path: String) {
    if unlink(path) == 0 { return }
    for name in names(in: path) { remove("\(path)/\(name)") }
    rmdir(path)
  }

  deinit { Self.remove(path) }
}

func status(_ path: String) -> stat? {
  var status = stat()
  return lstat(path, &status) == 0 ? status : nil
}

func permissions(_ path: String) -> UInt16? {
  status(path).map { UInt16($0.st_mode & 0o7777) }
}

func write(_ text: String, to path: String, mode: mode_t = 0o600) {
  let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
  write(file, text, text.utf8.count)
  close(file)
}

func contents(_ path: String) -> String? {
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { return nil }
  defer { close(file) }
  var buffer = [UInt8](repeating: 0, count: 65_536)
  let count = read(file, &buffer, buffer.count)
  return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
}

/// A socket bound to `path` by somebody who knows nothing of locks. Closing it leaves the file.
func foreignSocket(_ path: String, listening: Bool, type: __socket_type = SOCK_STREAM) -> Int32 {
  let made = socket(AF_UNIX, Int32(type.rawValue | SOCK_CLOEXEC.rawValue), 0)
  _ = withAddress(path) { bind(made, $0, $1) }
  if listening { listen(made, 8) }
  return made
}

/// A connected descriptor, or the negated number of the error.
func connection(to path: String) -> Int32 {
  let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
  guard withAddress(path, { connect(made, $0, $1) }) == 0 else {
    let code = errno
    close(made)
    return -code
  }
  return made
}

private func withAddress(_ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32) -> Int32 {
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count)) }
  return withUnsafePointer(to: address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
  }
}

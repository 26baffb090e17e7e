// The file beside the socket that holds what Redis could not be told of before the process ended: a line of JSON each, behind one
// that says how many there are. It is read whole or not at all.

internal import Glibc
import PannierCore
import PannierDispatch
import PannierWire

struct QueueFileFault: Error {
  let reason: String
}

struct QueueFile {
  /// Far beyond what a queue can hold; what is larger is some other file.
  private static let largestBytes = 1 << 30

  let path: String
  private var unfinishedPath: String { path + ".new" }

  init(besides socket: String) { path = socket + ".queue" }

  // MARK: Writing

  /// Whoever finds it finds all of it, also after a crash of the machine.
  func write(_ changes: [LeftChange]) throws(QueueFileFault) {
    unlink(unfinishedPath)
    guard
      let file = OwnedDescriptor(open(unfinishedPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600))
    else { throw Self.fault("open") }
    // Whatever the umask.
    guard fchmod(file.number, 0o600) == 0 else { throw Self.fault("chmod") }
    var buffer = OutputBuffer()
    QueueLine.encode(changes, into: &buffer)
    while !buffer.isEmpty {
      let count = Glibc.write(file.number, buffer.bytes.baseAddress, buffer.count)
      if count > 0 { buffer.consume(count) } else if errno != EINTR { throw Self.fault("write") }
    }
    guard fsync(file.number) == 0 else { throw Self.fault("fsync") }
    guard rename(unfinishedPath, path) == 0 else { throw Self.fault("rename") }
    syncDirectory()
  }

  private func syncDirectory() {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    let directory = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    if let opened = OwnedDescriptor(open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) { fsync(opened.number) }
  }

  func remove() {
    unlink(path)
    syncDirectory()
  }

  /// Out of the way, for a person to look at. Where it is then; nil: where it was.
  func setAside() -> String? {
    let kept = path + ".damaged"
    return rename(path, kept) == 0 ? kept : nil
  }

  // MARK: Reading

  /// Nil: there is none.
  func read() throws(QueueFileFault) -> [LeftChange]? {
    guard let file = OwnedDescriptor(open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)) else {
      if errno == ENOENT { return nil }
      throw Self.fault("open")
    }
    var status = stat()
    guard fstat(file.number, &status) == 0 else { throw Self.fault("stat") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw QueueFileFault(reason: "it is no regular file") }
    // A directory may let others put files into it.
    guard status.st_uid == geteuid(), status.st_mode & 0o022 == 0 else {
      throw QueueFileFault(reason: "somebody else can write to it, or has")
    }
    guard status.st_size <= Self.largestBytes else {
      throw QueueFileFault(reason: "it has \(status.st_size) bytes, which is more than any queue")
    }
    return try QueueLine.decode(try bytes(of: file.number))
  }

  private func bytes(of descriptor: Int32) throws(QueueFileFault) -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= Self.largestBytes {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      if count == 0 { break }
      if count > 0 { bytes += chunk[..<count] } else if errno != EINTR { throw Self.fault("read") }
    }
    return bytes
  }

  private static func fault(_ call: String) -> QueueFileFault {
    QueueFileFault(reason: "\(call): \(String(cString: strerror(errno)))")
  }
}

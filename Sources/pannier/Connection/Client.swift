// A blocking connection to the daemon: one request line out, one answer line in. It knows sockets and line feeds, and
// nothing of what the lines say.

import Glibc

struct Client: ~Copyable {
  /// How long to wait for a connection or an answer. The daemon answers in microseconds; only a stuck one comes near this.
  static let patienceSeconds = 5

  private let path: String
  private let descriptor: Int32
  private let patienceSeconds: Int
  /// What came after the last line that was taken.
  private var received: [UInt8] = []

  /// Connects, or says in plain words why it can't.
  init(path: String, patienceSeconds: Int) throws(Failure) {
    self.path = path
    self.patienceSeconds = patienceSeconds
    descriptor = try Self.connected(to: path, patienceSeconds)
  }

  deinit { close(descriptor) }

  /// Sends the request and gives back the answer's line. The answer may be an error.
  mutating func ask(_ request: RequestLine) throws(Failure) -> Answer {
    // A server that refuses the connection says so in one line and closes, maybe before it has read the request: so a
    // failed write is not the end, and what can be read explains it.
    let isSent = try send(request.bytes)
    if let line = try line() { return try Answer(line) }
    throw Failure(
      "\(Printable.line(path)) closed the connection \(isSent ? "without an answer" : "before the request was sent")")
  }

  /// The next line, without its end; nil where the server has closed the connection.
  mutating func line() throws(Failure) -> [UInt8]? {
    var searched = 0
    while true {
      if let end = received[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        let line = Array(received[..<end])
        received.removeSubrange(...end)
        return line
      }
      searched = received.count
      guard try receive() else { return nil }
    }
  }

  /// Whether a whole line has come already.
  var hasLine: Bool { received.contains(UInt8(ascii: "\n")) }

  /// Waits for more without end, and answers false where the reader of standard output has gone meanwhile: nobody would
  /// see what comes.
  func waitForMoreWhileRead() -> Bool {
    var watched = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0), pollfd(fd: STDOUT_FILENO, events: 0, revents: 0),
    ]
    while poll(&watched, nfds_t(watched.count), -1) < 0, errno == EINTR {}
    return watched[1].revents & Int16(POLLERR) == 0
  }

  /// Answers false where the server has closed the connection.
  private func send(_ bytes: [UInt8]) throws(Failure) -> Bool {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        sent += count
      } else if errno == EPIPE || errno == ECONNRESET {
        return false
      } else if errno != EINTR {
        throw fault(errno)
      }
    }
    return true
  }

  /// Takes what is there, waiting for it; answers false at the connection's end.
  private mutating func receive() throws(Failure) -> Bool {
    // As much as a kernel's socket buffer usually holds, so that a large answer takes few calls.
    let chunk = 1 << 17
    while true {
      var fault: Int32 = 0
      let taken = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = recv(descriptor, buffer.baseAddress, chunk, 0)
        if result < 0 { fault = errno }
        count = max(0, result)
      }
      if fault == EINTR { continue }
      if fault == ECONNRESET { return false }
      if fault != 0 { throw self.fault(fault) }
      received += taken
      return !taken.isEmpty
    }
  }

  private func fault(_ code: Int32) -> Failure {
    if code == EAGAIN { return Failure("no answer from \(Printable.line(path)) within \(patienceSeconds) s") }
    return Failure("the connection to \(Printable.line(path)) failed: \(systemReason(code))")
  }

  private static func connected(to path: String, _ patienceSeconds: Int) throws(Failure) -> Int32 {
    guard var address = socketAddress(path) else {
      throw Failure(
        "the socket's path has \(path.utf8.count) bytes, and the system takes 1 to 107: \(Printable.line(path))")
    }
    let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    guard descriptor >= 0 else { throw Failure("cannot make a socket: \(systemReason(errno))") }
    // The send timeout covers connecting too, where the daemon's queue is full.
    var patience = timeval(tv_sec: patienceSeconds, tv_usec: 0)
    for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
      setsockopt(descriptor, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
    }
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    if result == 0 { return descriptor }
    let code = errno
    close(descriptor)
    throw Failure("cannot reach \(Printable.line(path)): \(Unreachable.reason(path, code))")
  }

  /// Nil where the path doesn't fit, its ending NUL included.
  private static func socketAddress(_ path: String) -> sockaddr_un? {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    return withUnsafeMutableBytes(of: &address.sun_path) { field in
      guard !bytes.isEmpty, bytes.count < field.count else { return false }
      field.copyBytes(from: bytes)
      return true
    } ? address : nil
  }
}

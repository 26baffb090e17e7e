// Writes to standard output and standard error, whole and unbuffered, so that an interrupted run has shown all it had.

import Glibc

enum Output {
  static func print(_ line: String) { print(Array(line.utf8)) }

  /// Writes `line` and a line feed to standard output.
  static func print(_ line: some Sequence<UInt8>) {
    var bytes = Array(line)
    bytes.append(UInt8(ascii: "\n"))
    write(bytes)
  }

  /// Several lines in one write; nothing where there are none.
  static func print(lines: [String]) {
    if !lines.isEmpty { print(lines.joined(separator: "\n")) }
  }

  /// What a person should know beside the result: it goes to standard error, so that a pipe gets the result alone.
  static func note(_ line: String) { put(Array("\(line)\n".utf8), on: STDERR_FILENO) }

  static func complain(_ message: String) { note("pannier: \(message)") }

  private static func write(_ bytes: [UInt8]) {
    let fault = put(bytes, on: STDOUT_FILENO)
    if fault == EPIPE { Outcome.success.exit() }
    if fault != 0 {
      complain("cannot write the result: \(systemReason(fault))")
      Outcome.failure.exit()
    }
  }

  /// Writes all of `bytes`; answers the errno that stopped it, or 0.
  @discardableResult
  private static func put(_ bytes: [UInt8], on descriptor: Int32) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if count > 0 {
        written += count
      } else if errno == EAGAIN {
        // A descriptor that another process made non-blocking: wait until it takes more.
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, -1)
      } else if errno != EINTR {
        return errno
      }
    }
    return 0
  }
}

/// The system's words for an errno.
func systemReason(_ code: Int32) -> String {
  String(cString: strerror(code))
}

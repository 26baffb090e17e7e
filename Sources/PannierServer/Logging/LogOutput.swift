// Where log lines go: a descriptor, by one write each, so that lines of several writers don't mix.
// It doesn't know what is in a line, and never waits to be rid of it.
internal import Glibc

/// Takes a line with its newline.
package struct LogOutput: Sendable {
  package let write: @Sendable ([UInt8]) -> Void

  package init(write: @escaping @Sendable ([UInt8]) -> Void) {
    self.write = write
  }

  package static let standardError = LogOutput(descriptor: STDERR_FILENO)

  /// What the descriptor won't take is lost: there is nowhere to say so, and a daemon that stops serving for its log's
  /// sake is worse.
  package init(descriptor: Int32) {
    self.init { line in
      line.withUnsafeBytes { bytes in
        var sent = 0
        while sent < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress?.advanced(by: sent), bytes.count - sent)
          if count > 0 {
            sent += count
          } else if count == 0 || errno != EINTR {
            return
          }
        }
      }
    }
  }
}

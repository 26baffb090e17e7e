// What a socket does with a session's bytes. Calls, not properties that lend their place: lent to another module such a place
// costs an allocation each time, a third of a request.

package import PannierWire

extension Session {
  // MARK: What the client sent

  package func space(scratch: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
    framer.space(scratch: scratch)
  }

  package func received(_ count: Int, in space: UnsafeMutableRawBufferPointer) { framer.received(count, in: space) }

  /// Ends a turn in which something was received.
  package func keepRest() -> LineFramer.Rest { framer.keep() }

  /// Bytes received that are no whole line yet, or wait.
  package var receivedBytes: Int { framer.pending }

  // MARK: What it is sent

  package var hasOutput: Bool { !output.isEmpty }

  package var outputBytes: Bytes { output.bytes }

  /// The socket took so many bytes.
  package func sent(_ count: Int) { output.consume(count) }

  /// What is to be sent goes to `sending`, whose owner sees to it, and says when that is sent.
  package func handOutput(to sending: inout OutputBuffer) {
    swap(&sending, &output)
    progress.sendingBytes = sending.count
  }

  package func handedOutputIsSent() { progress.sendingBytes = 0 }
}

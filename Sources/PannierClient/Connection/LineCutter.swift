// Cuts what a connection received into lines. It owns the bytes that are not yet a whole line, and knows no JSON.

import NIOCore

struct LineCutter {
  private var buffer = ByteBuffer()
  /// How much of it has been looked through: an answer that comes in many parts is looked at once.
  private var searched = 0

  mutating func receive(_ bytes: inout ByteBuffer) {
    if buffer.readableBytes == 0 {
      buffer = bytes
    } else {
      buffer.writeBuffer(&bytes)
    }
  }

  /// The next whole line without its end.
  mutating func next() -> ByteBuffer? {
    let place = buffer.withUnsafeReadableBytes { bytes in
      bytes.count > searched ? bytes[searched...].firstIndex(of: 0x0A) : nil
    }
    guard let place else {
      searched = buffer.readableBytes
      return nil
    }
    searched = 0
    let line = buffer.readSlice(length: place)
    buffer.moveReaderIndex(forwardBy: 1)
    // What was cut off is kept alive by whoever has it.
    if buffer.readableBytes == 0 { buffer = ByteBuffer() }
    return line
  }
}

// One line as the JSON reader wants it: in memory that may be read a little beyond its end. It knows nothing of what
// the line says.

/// Borrowed bytes: valid until the turn of the loop ends, or until what owns them is changed.
package typealias Bytes = UnsafeRawBufferPointer

/// One line without its LF, borrowed from a framer or from a `KeptLine`, whose bytes the reader may change in place (it
/// unescapes strings where they stand).
///
/// The byte after it is LF, and `padding` bytes after that are readable: the reader stops at the LF, which no JSON token
/// contains, instead of comparing with an end at each step, and loads vectors whole. Only this module makes a line.
package struct Line {
  /// How many bytes must be readable behind a line's LF: the widest load, in bytes.
  package static let padding = 32

  let start: UnsafeMutablePointer<UInt8>
  package let count: Int
  /// No byte has its high bit set, so the line is UTF-8 without a second look.
  let isASCII: Bool
  /// Nothing that was received stands behind it.
  package let isLast: Bool

  package var bytes: Bytes { Bytes(start: start, count: count) }

  /// Nothing stands on it: it asks nothing. A CR may stand before the LF.
  package var isBlank: Bool { count == 0 || count == 1 && start.pointee == 0x0D }
}

/// A line kept for a later turn, since it waits behind a request that isn't answered yet.
package struct KeptLine {
  private var storage: [UInt8]
  private let isASCII: Bool

  package init(_ line: Line) {
    storage = Array(line.bytes)
    storage.append(0x0A)
    storage.append(contentsOf: repeatElement(0, count: Line.padding))
    isASCII = line.isASCII
  }

  /// For tests and tools: a line from bytes that came from no connection.
  package init(_ bytes: some Collection<UInt8>) {
    storage = Array(bytes)
    isASCII = storage.allSatisfy { $0 < 0x80 }
    storage.append(0x0A)
    storage.append(contentsOf: repeatElement(0, count: Line.padding))
  }

  package var count: Int { storage.count - Line.padding - 1 }

  /// `body` gets the line; it is valid inside only.
  package mutating func withLine<Result>(_ body: (Line) -> Result) -> Result? {
    let count = self.count
    let isASCII = self.isASCII
    return storage.withUnsafeMutableBufferPointer { buffer in
      buffer.baseAddress.map { body(Line(start: $0, count: count, isASCII: isASCII, isLast: true)) }
    }
  }
}

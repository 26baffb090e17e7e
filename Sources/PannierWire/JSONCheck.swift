// Whether bytes that no request brought are one JSON value, as strictly as a request's values are read. It keeps nothing
// of them.

/// With nothing before or behind it, so that it may stand in an answer; `nesting`: how many levels it may have.
package func isJSONValue(_ bytes: Bytes, nesting: Int) -> Bool {
  guard let first = bytes.first, first > 0x20, isASCII(bytes) || isUTF8(bytes) else { return false }
  // Copied, since the reader wants an LF behind, and looks beyond that (see `Line`).
  return withUnsafeTemporaryAllocation(byteCount: bytes.count + 1 + Line.padding, alignment: 1) { copy in
    copy.copyMemory(from: bytes)
    copy[bytes.count] = 0x0A
    for index in bytes.count + 1..<copy.count { copy[index] = 0 }
    guard let start = copy.bindMemory(to: UInt8.self).baseAddress else { return false }
    var reader = JSONReader(start, depth: nesting)
    return (try? reader.value()) != nil && reader.cursor == start + bytes.count
  }
}

/// Told so much sooner than UTF-8 that a second look at what isn't is cheap.
private func isASCII(_ bytes: Bytes) -> Bool {
  var seen: UInt64 = 0
  var offset = 0
  while offset + 8 <= bytes.count {
    seen |= bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
    offset += 8
  }
  while offset < bytes.count {
    seen |= UInt64(bytes[offset])
    offset += 1
  }
  return seen & 0x8080_8080_8080_8080 == 0
}

func isUTF8(_ bytes: Bytes) -> Bool {
  (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
}

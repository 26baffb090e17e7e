// Bytes that are owned, lent to what takes them borrowed. It knows nothing of what they are.

/// Lends arrays of bytes as borrowed bytes, all at once.
package func withBorrowed<Result>(_ arrays: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> Result) -> Result {
  let joined = arrays.flatMap { $0 }
  return joined.withUnsafeBytes { bytes in
    var offset = 0
    return body(
      arrays.map { array in
        defer { offset += array.count }
        return UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + array.count])
      })
  }
}

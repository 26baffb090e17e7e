// Compares keys and names as bytes, sixteen at a time. It knows no text: two spellings of one character differ.

/// Whether two keys are the same bytes; sixteen at a time, the last sixteen overlapping those before.
@inline(__always)
func same(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  let count = left.count
  guard count == right.count, let left = left.baseAddress, let right = right.baseAddress else { return false }
  if count >= 16 {
    var position = 0
    while position < count {
      let offset = min(position, count &- 16)
      let difference =
        left.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self)
        ^ right.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self)
      if difference[0] | difference[1] != 0 { return false }
      position &+= 16
    }
    return true
  }
  if count >= 8 {
    return left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self)
      && left.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        == right.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
  }
  for index in 0..<count where left.load(fromByteOffset: index, as: UInt8.self) != right.load(fromByteOffset: index, as: UInt8.self) {
    return false
  }
  return true
}

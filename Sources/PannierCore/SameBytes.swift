// Compares keys and names as bytes, sixteen at a time. It knows no text: two spellings of one character differ.

/// Whether two keys are the same bytes; thirty-two at a time, the last ones overlapping those before.
@inline(__always)
func same(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
  let count = left.count
  guard count == right.count, let left = left.baseAddress, let right = right.baseAddress else { return false }
  if count >= 16 {
    var position = 0
    while count &- position > 32 {
      let differences = difference(left, right, position) | difference(left, right, position &+ 16)
      if differences[0] | differences[1] != 0 { return false }
      position &+= 32
    }
    let last = difference(left, right, min(position, count &- 16)) | difference(left, right, count &- 16)
    return last[0] | last[1] == 0
  }
  if count >= 8 {
    return left.loadUnaligned(as: UInt64.self) == right.loadUnaligned(as: UInt64.self)
      && left.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
        == right.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
  }
  if count >= 4 {
    return left.loadUnaligned(as: UInt32.self) == right.loadUnaligned(as: UInt32.self)
      && left.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
        == right.loadUnaligned(fromByteOffset: count &- 4, as: UInt32.self)
  }
  for index in 0..<count
  where left.load(fromByteOffset: index, as: UInt8.self) != right.load(fromByteOffset: index, as: UInt8.self) {
    return false
  }
  return true
}

@inline(__always)
private func difference(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer, _ offset: Int) -> SIMD2<UInt64> {
  left.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self)
    ^ right.loadUnaligned(fromByteOffset: offset, as: SIMD2<UInt64>.self)
}

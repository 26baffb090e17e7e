// Finds bytes eight at a time with plain arithmetic, two words abreast. It knows no lines and no JSON.

/// Sixteen bytes as two words: what the compiler makes vector instructions of, without the lane masks that cost it more than
/// the comparison. In each function's result the lowest set bit of a word is exact; bits above it may err (a borrow runs on).
typealias TwoWords = SIMD2<UInt64>

@inline(__always)
func loadTwoWords(_ start: UnsafeMutablePointer<UInt8>) -> TwoWords {
  UnsafeRawPointer(start).loadUnaligned(as: TwoWords.self)
}

/// The high bit of each byte that equals `byte`. (Mycroft's test for a zero byte, on the difference.)
@inline(__always)
func matches(_ words: TwoWords, _ byte: UInt8) -> TwoWords {
  let difference = words ^ TwoWords(repeating: repeated(byte))
  return (difference &- TwoWords(repeating: repeated(0x01))) & ~difference & TwoWords(repeating: repeated(0x80))
}

/// Whether a control character may be in either of two blocks: never no where there is one.
@inline(__always)
func mayHaveControl(_ first: TwoWords, _ second: TwoWords) -> Bool {
  let space = TwoWords(repeating: repeated(0x20))
  let found = ((first &- space) & ~first) | ((second &- space) & ~second)
  return (found[0] | found[1]) & repeated(0x80) != 0
}

/// As the first, in one word.
@inline(__always)
func matches(_ word: UInt64, _ byte: UInt8) -> UInt64 {
  let difference = word ^ repeated(byte)
  return (difference &- repeated(0x01)) & ~difference & repeated(0x80)
}

/// The high bit of each byte that a JSON string doesn't contain as it is: a quote, a backslash, a control character.
@inline(__always)
func stringStops(_ words: TwoWords) -> TwoWords {
  // With this one bit turned the quote, 0x22, comes to stand next to the control characters, below 0x20, and alone there.
  let low = (words ^ TwoWords(repeating: repeated(0x02))) &- TwoWords(repeating: repeated(0x21))
  let backslash = (words ^ TwoWords(repeating: repeated(UInt8(ascii: "\\")))) &- TwoWords(repeating: repeated(0x01))
  // What is above 0x7F is none of the three, and its high bit takes it out at the end.
  return (low | backslash) & ~words & TwoWords(repeating: repeated(0x80))
}

/// The index of the first byte that isn't zero; 16 where all are.
@inline(__always)
func firstByte(_ words: TwoWords) -> Int {
  words[0] != 0 ? words[0].trailingZeroBitCount >> 3 : 8 + words[1].trailingZeroBitCount >> 3
}

@inline(__always)
private func repeated(_ byte: UInt8) -> UInt64 { UInt64(byte) &* 0x0101_0101_0101_0101 }

// SHA-256 of a few hundred bytes, for the tail of keys that are too long to stand whole. FIPS 180-4, section 6.2.

/// A library for it would be most of what a program that uses this client has to build.
enum SHA256 {
  static func hexadecimal(_ message: [UInt8]) -> String {
    var state = initial
    var padded = message + [0x80]
    while padded.count % 64 != 56 { padded.append(0) }
    withUnsafeBytes(of: UInt64(message.count * 8).bigEndian) { padded.append(contentsOf: $0) }
    for start in stride(from: 0, to: padded.count, by: 64) { mix(padded[start..<start + 64], into: &state) }
    return state.map { word in
      let digits = String(word, radix: 16)
      return String(repeating: "0", count: 8 - digits.count) + digits
    }.joined()
  }

  private static func mix(_ block: ArraySlice<UInt8>, into state: inout [UInt32]) {
    var schedule: [UInt32] = stride(from: block.startIndex, to: block.endIndex, by: 4).map { place in
      block[place..<place + 4].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for index in 16..<64 {
      let a = schedule[index - 15]
      let b = schedule[index - 2]
      let sigma0 = rotated(a, 7) ^ rotated(a, 18) ^ a >> 3
      let sigma1 = rotated(b, 17) ^ rotated(b, 19) ^ b >> 10
      schedule.append(schedule[index - 16] &+ sigma0 &+ schedule[index - 7] &+ sigma1)
    }
    var v = state
    for index in 0..<64 {
      let sum1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)
      let choice = v[4] & v[5] ^ ~v[4] & v[6]
      let first = v[7] &+ sum1 &+ choice &+ constants[index] &+ schedule[index]
      let sum0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)
      let majority = v[0] & v[1] ^ v[0] & v[2] ^ v[1] & v[2]
      v = [first &+ sum0 &+ majority, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
    }
    for index in state.indices { state[index] &+= v[index] }
  }

  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word >> count | word << (32 - count) }

  /// The first 32 bits of the fractional parts of the square roots of the first 8 primes.
  private static let initial: [UInt32] = firstPrimes(8).map { fraction(of: $0, root: 2) }
  /// The same of the cube roots of the first 64.
  private static let constants: [UInt32] = firstPrimes(64).map { fraction(of: $0, root: 3) }

  private static func firstPrimes(_ count: Int) -> [UInt64] {
    var primes: [UInt64] = []
    var candidate: UInt64 = 2
    while primes.count < count {
      if primes.allSatisfy({ candidate % $0 != 0 }) { primes.append(candidate) }
      candidate += 1
    }
    return primes
  }

  /// The largest number whose square, or cube, is at most `prime`, in units of 2^-32; without its whole part.
  private static func fraction(of prime: UInt64, root: Int) -> UInt32 {
    var low: UInt64 = 0
    // No such root is as large as 32.
    var high: UInt64 = 32 << 32
    while low + 1 < high {
      let middle = (low + high) / 2
      if power(middle, root, isAtMost: prime) { low = middle } else { high = middle }
    }
    return UInt32(truncatingIfNeeded: low)
  }

  private static func power(_ number: UInt64, _ exponent: Int, isAtMost prime: UInt64) -> Bool {
    var product = UInt128(1)
    for _ in 0..<exponent { product *= UInt128(number) }
    return product <= UInt128(prime) << UInt128(32 * exponent)
  }
}

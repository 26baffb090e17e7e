// Seeded hashing of keys, so that nobody who chooses keys can choose their buckets.

/// Sixteen bytes a step, each folded into 64 bits by one full-width multiplication with secret words mixed in (the manner
/// of wyhash and folded multiplication; about a quarter of SipHash's instructions for a common key). It withstands keys made in
/// advance; it is no cryptographic function.
struct KeyHash {
  private let seed: UInt64
  private let low: UInt64
  private let high: UInt64

  init(seed: UInt64) {
    var random = RandomSource(seed: seed)
    self.seed = random.next()
    // Odd, so that no secret can be zero and fold everything to nothing.
    low = random.next() | 1
    high = random.next() | 1
  }

  @inline(__always)
  func callAsFunction(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
    guard let start = bytes.baseAddress else { return Self.fold(seed, low) }
    var hash = seed ^ UInt64(truncatingIfNeeded: bytes.count)
    var position = 0
    while bytes.count &- position > 16 {
      hash = mix(
        hash, start.loadUnaligned(fromByteOffset: position, as: UInt64.self),
        start.loadUnaligned(fromByteOffset: position &+ 8, as: UInt64.self))
      position &+= 16
    }
    let (first, second) = Self.tail(start, bytes.count, position)
    hash = mix(hash, first, second)
    return Self.fold(hash ^ high, low)
  }

  /// The last 1 to 16 bytes as two words, which may overlap each other or what came before: their place tells them apart.
  @inline(__always)
  private static func tail(_ start: UnsafeRawPointer, _ count: Int, _ position: Int) -> (UInt64, UInt64) {
    let left = count &- position
    if count >= 16 {
      return (
        start.loadUnaligned(fromByteOffset: count &- 16, as: UInt64.self),
        start.loadUnaligned(fromByteOffset: count &- 8, as: UInt64.self)
      )
    }
    if left >= 8 {
      return (start.loadUnaligned(as: UInt64.self), start.loadUnaligned(fromByteOffset: left &- 8, as: UInt64.self))
    }
    if left >= 4 {
      return (
        UInt64(start.loadUnaligned(as: UInt32.self)),
        UInt64(start.loadUnaligned(fromByteOffset: left &- 4, as: UInt32.self))
      )
    }
    let middle = start.load(fromByteOffset: left &>> 1, as: UInt8.self)
    let last = start.load(fromByteOffset: left &- 1, as: UInt8.self)
    return (UInt64(start.load(as: UInt8.self)) &<< 16 | UInt64(middle) &<< 8 | UInt64(last), 0)
  }

  @inline(__always)
  private func mix(_ hash: UInt64, _ first: UInt64, _ second: UInt64) -> UInt64 {
    Self.fold(first ^ low, second ^ hash ^ high)
  }

  @inline(__always)
  private static func fold(_ left: UInt64, _ right: UInt64) -> UInt64 {
    let product = left.multipliedFullWidth(by: right)
    return product.high ^ product.low
  }
}

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014): reproducible from its
/// seed, which is what a test wants and jitter needs no more of.
struct RandomSource: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}

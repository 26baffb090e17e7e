// What is known of one load: who has the lease on a key, and when it was given. It knows no values and no waiting.

/// Names a connection, for as long as the process runs.
package typealias OwnerID = UInt64

/// Who asks: a lease ends with its owner.
package struct Asker {
  package let owner: OwnerID
  package let caller: Caller

  package init(owner: OwnerID, caller: Caller) {
    self.owner = owner
    self.caller = caller
  }
}

/// What a lease's holder shows. 128 random bits, so that nobody can guess another's; as text 32 hexadecimal digits.
package struct LeaseToken: Equatable, Sendable {
  private let high: UInt64
  private let low: UInt64

  init(_ high: UInt64, _ low: UInt64) {
    self.high = high
    self.low = low
  }

  /// Of no lease.
  package static let none = LeaseToken(0, 0)

  /// Nil: no token is written so.
  package init?(text: UnsafeRawBufferPointer) {
    guard text.count == Self.digits, text.allSatisfy({ isLowercaseHex($0) }),
      let high = UInt64(String(decoding: text.prefix(16), as: UTF8.self), radix: 16),
      let low = UInt64(String(decoding: text.suffix(16), as: UTF8.self), radix: 16)
    else { return nil }
    self.init(high, low)
  }

  package var text: String { Self.text(of: high) + Self.text(of: low) }

  private static let digits = 32

  private static func text(of word: UInt64) -> String {
    let digits = String(word, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}

private func isLowercaseHex(_ byte: UInt8) -> Bool {
  (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
}

/// Where tokens come from: the one randomness besides the cache's seed, from which they could be foretold.
package enum TokenSource {
  /// The system's generator, which nobody can foretell.
  case system
  /// For tests, which want the same run twice.
  case seeded(UInt64)
}

struct TokenMaker {
  private var seeded: RandomSource?

  init(_ source: TokenSource) {
    if case .seeded(let seed) = source { seeded = RandomSource(seed: seed) }
  }

  mutating func next() -> LeaseToken {
    if seeded != nil { return LeaseToken(seeded?.next() ?? 0, seeded?.next() ?? 0) }
    var system = SystemRandomNumberGenerator()
    return LeaseToken(system.next(), system.next())
  }
}

/// The right to load a key, and to store what was loaded.
struct Lease {
  let token: LeaseToken
  let holder: Asker
  let grantedAt: Int64
  let deadline: Int64
  let stamp: LoadStamp
  /// The shared tier has its token: no host but this one is to load the key.
  var isFleet = false
}

/// The last change when a load began: what invalidates its key afterwards has a higher number.
struct LoadStamp {
  let sequence: UInt64
  /// The newest change of the shared tier that was known.
  let known: UInt64
}

/// How a lease ended, other than by its fill. The names are those of the event `release`.
package enum LeaseEnd: String, Sendable {
  case released, failed, passed
  /// It stood for the policy's `lease_timeout`.
  case timedOut = "timed_out"
  /// Its connection is gone.
  case disconnected
  /// By a plain set, an invalidation, or a mode that stores nothing.
  case revoked
}

/// Of a key that one host of all is to load: how far this one is in finding out which.
enum Claim {
  /// The shared tier is asked.
  case asked
  /// It is this one. The load is reserved for who asked.
  case won(LeaseToken, askedAt: Int64)
  /// The shared tier can't say: each host has an election of its own.
  case alone
  /// It is another, until then at most.
  case elsewhere(until: Int64, LoadStamp)
}

/// Why nobody is elected for a while: a load has failed, or its result is not to be stored.
package enum PauseReason: String, CaseIterable, Sendable { case failed, passed }

struct Pause {
  let reason: PauseReason
  let until: Int64
  let stamp: LoadStamp
}

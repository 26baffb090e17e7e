// What a client asks, as values: one case an op. Strings are borrowed from the line; nothing here is looked up or decided.

/// One request. Times are in milliseconds.
package enum Request {
  case hello
  case ping
  case get(Get)
  /// Much larger than the others, whose requests it would make expensive to hand on.
  indirect case set(Set)
  case release(Release)
  case delete(Delete)
  case touch(Touch)
  case exists(ns: Bytes, key: Bytes)
  case keys(Keys)
  case clear(Clear)
  case stats(ns: Bytes?)
  case policy(ns: Bytes, set: Bytes?)
  case explain(ns: Bytes, key: Bytes)
  case watch(Watch)
  case advance(milliseconds: Int64)

  /// One key, answered alone, or several, answered as `items`.
  package enum KeySelection {
    case one(Bytes)
    case many([Bytes])
  }

  package struct Get {
    package let ns: Bytes
    package let keys: KeySelection
    /// It can load, and asks to be elected to.
    package let lease: Bool
    /// How long it would wait for another's load; nil: not at all.
    package let waitMilliseconds: Int64?
    /// A stale value will do.
    package let stale: Bool
    package let meta: Bool
    /// An older value counts as stale.
    package let maxAgeMilliseconds: Int64?
    /// A value of this version is not sent again.
    package let unless: UInt64?
    /// Not older than what Redis has confirmed by now.
    package let strict: Bool
  }

  /// What a request says of a value's life.
  package enum Lifetime {
    case policy
    case unlimited
    case milliseconds(Int64)
  }

  package enum Condition {
    case none
    case absent
    case present
    case version(UInt64)
  }

  package struct Item {
    package let key: Bytes
    /// JSON as it arrived.
    package let value: Bytes
    package let ttl: Lifetime
    /// Nil: the policy's.
    package let staleMilliseconds: Int64?
    package let tags: [Bytes]
    package let condition: Condition
    /// The token of the lease under which it was loaded; nil: a plain set.
    package let lease: Bytes?
  }

  package enum ItemSelection {
    case one(Item)
    case many([Item])
  }

  package struct Set {
    package let ns: Bytes
    package let items: ItemSelection
  }

  package struct Release {
    package let ns: Bytes
    package let key: Bytes
    package let lease: Bytes
    package let outcome: Outcome
    /// Nil: the policy's.
    package let retryMilliseconds: Int64?

    package enum Outcome {
      /// Another may load it.
      case none
      /// The load failed.
      case failed
      /// There is a result, which isn't to be stored.
      case pass
    }
  }

  package struct Delete {
    package let ns: Bytes
    package let keys: KeySelection
    package let soft: Bool
  }

  package struct Touch {
    package let ns: Bytes
    package let key: Bytes
    package let ttl: Lifetime
    package let staleMilliseconds: Int64?
  }

  package struct Keys {
    package let ns: Bytes
    package let match: Bytes?
    package let limit: Int
    package let after: Bytes?
  }

  package struct Clear {
    /// Nil: all namespaces.
    package let ns: Bytes?
    package let match: Bytes?
    package let tags: [Bytes]
    package let soft: Bool
    package let dryRun: Bool
  }

  package struct Watch {
    package let ns: Bytes?
    /// Nil: all.
    package let events: [Bytes]?
    /// The share of events shown, 0 to 1.
    package let sample: Double
  }
}

/// What a request may be at most; the names are the configuration's.
package struct RequestLimits: Sendable {
  package var keyBytes = 1024
  package var nesting = 128
  package var items = 1000
  /// `advance` is an op.
  package var testClock = false

  package init() {}

  /// The longest life a request may ask for, in milliseconds: 10 years. Deadlines are kept in 40 bits.
  package static let maximumLifetimeMilliseconds: Int64 = 315_360_000_000
  /// The most tags an entry has, and the most bytes in one.
  package static let tags = 16
  package static let tagBytes = 128
  /// The longest pause that a `release` may ask for, in milliseconds: an hour.
  package static let maximumRetryMilliseconds: Int64 = 3_600_000
  /// The longest `id`, in bytes of its text as written.
  package static let idBytes = 64
  /// The longest `client`, in bytes.
  package static let clientBytes = 128
  /// Versions are below 2^53, so that every JSON reader holds them exactly.
  package static let maximumVersion: UInt64 = 1 << 53 - 1
  /// What `keys` gives unless asked for another number.
  package static let keysDefault = 100
}

/// A `get` for one key, as far as it matters where the value is fresh.
package struct PlainGet {
  package let ns: Bytes
  package let key: Bytes
  /// It asks to be elected where the value is due for a refresh.
  package let lease: Bool
}

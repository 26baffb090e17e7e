// What the cache and the tier that hosts share say to each other, as values: commands out, replies and records in. Nothing here
// knows how they are written.

/// When a value came to be, in the order of changes: it reflects every change of its key up to `number`.
package struct Birth: Equatable, Sendable {
  package let incarnation: UInt64
  package let number: UInt64

  package init(incarnation: UInt64, number: UInt64) {
    self.incarnation = incarnation
    self.number = number
  }
}

/// A value as hosts share it. Times are in milliseconds.
package struct SharedValue: Equatable, Sendable {
  package var key: [UInt8]
  package var value: [UInt8]
  package var tags: [[UInt8]]
  /// How long it is fresh, from when it was written there; nil: it doesn't expire.
  package var ttlMilliseconds: Int64?
  /// How long it may then be shown as stale.
  package var staleMilliseconds: Int64
  /// How old it was when it was written there.
  package var ageMilliseconds: Int64
  package var version: UInt64
  package var birth: Birth
  /// Its freshness was ended early.
  package var isSoftened: Bool

  package init(
    key: [UInt8], value: [UInt8], tags: [[UInt8]] = [], ttlMilliseconds: Int64?, staleMilliseconds: Int64 = 0,
    ageMilliseconds: Int64 = 0, version: UInt64, birth: Birth, isSoftened: Bool = false
  ) {
    self.key = key
    self.value = value
    self.tags = tags
    self.ttlMilliseconds = ttlMilliseconds
    self.staleMilliseconds = staleMilliseconds
    self.ageMilliseconds = ageMilliseconds
    self.version = version
    self.birth = birth
    self.isSoftened = isSoftened
  }
}

/// What a record or a clear takes in.
package enum SharedScope: Hashable, Sendable {
  case keys([[UInt8]])
  case all
  case match([UInt8])
  case tags([[UInt8]])
}

/// A change of what hosts share.
package enum SharedChange: Equatable, Sendable {
  /// `guardNumber`: only if nothing newer has changed the key since; else it is carried out as a delete.
  case set(SharedValue, guardNumber: UInt64?)
  case delete([[UInt8]])
  /// Ends freshness; the value may be shown for `staleMilliseconds` from now, and no longer than before.
  case soften([[UInt8]], staleMilliseconds: Int64)
  case clear(SharedScope, soft: Bool)
}

/// What the shell is to carry out. Commands are carried out in their order, on one connection.
package enum SharedCommand: Equatable, Sendable {
  /// To be answered by `sharedReplied(flight:…)`.
  case read(flight: UInt64, ns: [UInt8], key: [UInt8])
  /// To be answered by `sharedReplied(change:…)`.
  case change(number: UInt64, ns: [UInt8], SharedChange)
  /// Needs no answer, but that the incarnation has passed; under a lease of all hosts also whether it was refused, by
  /// `sharedRefused(fillOf:…)`.
  case fill(ns: [UInt8], SharedValue, lease: LeaseToken?)
  /// The load of a key, for all hosts and so long at most, to be answered by `sharedReplied(claim:…)`.
  case claim(number: UInt64, ns: [UInt8], key: [UInt8], token: LeaseToken, milliseconds: Int64)
  /// Needs no answer: another may claim the load, at once or after a pause.
  case release(ns: [UInt8], key: [UInt8], token: LeaseToken, pause: PauseReason?, milliseconds: Int64)
  /// What stands under a key now, to be answered by `sharedInspected`.
  case inspect(number: UInt64, ns: [UInt8], key: [UInt8])
  /// Only if `front` is what stands there, and no clear has come after `seen`; to be answered by `sharedReplied(conditional:…)`.
  case setIf(number: UInt64, ns: [UInt8], SharedValue, front: [UInt8], seen: UInt64)
  /// The same: a new life for what stands.
  case touch(number: UInt64, ns: [UInt8], SharedValue, front: [UInt8], seen: UInt64)
  /// What the log has beyond `seen`, to be answered by `sharedBarrier`.
  case barrier(number: UInt64, incarnation: UInt64, seen: UInt64)
  /// The group records of a namespace, to be answered by `sharedGroups`.
  case groups(ns: [UInt8])
}

/// What a read found.
package enum SharedRead: Equatable, Sendable {
  /// `leftMilliseconds`: of all its life, when it was read; nil: it doesn't expire.
  case value(SharedValue, leftMilliseconds: Int64?)
  case nothing
  /// Nothing that could be used: not ours, or no answer at all.
  case failed
}

/// What became of a change.
package enum SharedReply: Equatable, Sendable {
  /// Carried out as the change `number`; how many of its keys had a value.
  case done(number: UInt64, count: Int)
  /// The same, as a delete, since something newer had changed the key.
  case conflict(number: UInt64)
  /// Not carried out: the incarnation has passed, or this connection is not the host's any more.
  case refused
  /// Nobody knows: the connection is gone, or it was answered by an error.
  case lost
}

/// A record of the log.
package struct SharedRecord: Equatable, Sendable {
  package enum Kind: Sendable { case set, delete, soften, touch, clear, softClear, open, filled }

  package var incarnation: UInt64
  package var number: UInt64
  package var kind: Kind
  package var ns: [UInt8]
  package var scope: SharedScope
  /// By this host itself.
  package var isOwn: Bool
  /// Of an own record: the number that the change had in its command.
  package var op: UInt64

  package init(
    incarnation: UInt64, number: UInt64, kind: Kind, ns: [UInt8], scope: SharedScope, isOwn: Bool,
    op: UInt64 = 0
  ) {
    self.incarnation = incarnation
    self.number = number
    self.kind = kind
    self.ns = ns
    self.scope = scope
    self.isOwn = isOwn
    self.op = op
  }
}

/// Names a change until what became of it is known.
package typealias ChangeTicket = UInt64

/// What its asker is told of a change.
package struct SharedOutcome: Equatable, Sendable {
  package let ticket: ChangeTicket
  /// It holds here, and waits to be told to the others.
  package let isQueued: Bool
  /// How many keys had a value that a reader could have seen.
  package let count: Int
  package let result: Result

  package enum Result: Sendable {
    case done
    /// Why a condition did not hold.
    case exists, missing, changed
    /// The shared tier can't say, and must.
    case unavailable
  }
}

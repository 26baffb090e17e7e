// The requests of one connection and the answers that belong to them: ids, deadlines, who waits and who has gone. It knows no
// sockets, and is told the time.

import NIOCore

/// `Waiter`: who waits for an answer; a continuation, and in tests a name.
struct Conversation<Waiter: Sendable>: Sendable {
  /// What has been asked of it that the connection is to do now.
  enum Move: Sendable {
    case nothing
    /// There is something to write, and nobody sees to it yet.
    case write
  }

  private enum Entry: Sendable {
    /// Its id is given, and it hasn't been sent.
    case reserved
    /// Its caller was cancelled before it was sent.
    case cancelled
    case waiting(Call, Waiter, until: NIODeadline)
    /// Nobody waits for its answer any more; what that brings is given back.
    case abandoned(Call)
  }

  private var entries: [UInt64: Entry] = [:]
  private var lastID: UInt64 = 0
  private var outgoing = ByteBuffer()
  private var isWriting = false
  /// How many entries wait.
  private var waitingCount = 0
  /// When the other end last showed that it lives, as far as anybody waits for that.
  private var heardAt = NIODeadline.uptimeNanoseconds(0)
  private var pingID: UInt64?
  /// Why it has ended.
  private(set) var end: PannierError?

  /// Its time is to be looked at.
  var needsTicks: Bool { waitingCount > 0 || pingID != nil }

  // MARK: Asking

  /// An id by which the caller may be cancelled, before and after its request is sent.
  mutating func reserve() -> UInt64 {
    lastID += 1
    entries[lastID] = .reserved
    return lastID
  }

  enum Sent {
    case sent(Move)
    /// The caller gets it, and nothing was sent.
    case refused(any Error)
  }

  mutating func send(_ call: Call, id: UInt64, _ waiter: Waiter, until: NIODeadline, now: NIODeadline) -> Sent {
    if let end {
      entries[id] = nil
      return .refused(end)
    }
    if case .cancelled = entries[id] {
      entries[id] = nil
      return .refused(CancellationError())
    }
    if !needsTicks { heardAt = now }
    waitingCount += 1
    entries[id] = .waiting(call, waiter, until: until)
    return .sent(write(call, id: id))
  }

  /// Sends a request whose answer nobody waits for.
  mutating func tell(_ call: Call) -> Move {
    guard end == nil else { return .nothing }
    lastID += 1
    return write(call, id: lastID)
  }

  private mutating func write(_ call: Call, id: UInt64) -> Move {
    call.write(id: id, to: &outgoing)
    if isWriting { return .nothing }
    isWriting = true
    return .write
  }

  /// The caller was cancelled. Whoever is returned is to be told so.
  mutating func abandon(_ id: UInt64) -> Waiter? {
    switch entries[id] {
    case .reserved: entries[id] = .cancelled
    case .waiting(let call, let waiter, _):
      entries[id] = .abandoned(call)
      waitingCount -= 1
      return waiter
    case .cancelled, .abandoned, nil: break
    }
    return nil
  }

  /// What is to be written, all that was asked since the last time.
  mutating func takeOutgoing() -> ByteBuffer? {
    isWriting = false
    guard outgoing.readableBytes > 0 else { return nil }
    let taken = outgoing
    outgoing = ByteBuffer()
    return taken
  }

  // MARK: Answers

  enum Received {
    case answer(Waiter, Answer)
    /// Requests to be sent because of it.
    case giveBack([Call])
    /// It has no id of ours.
    case unasked(ByteBuffer)
    case nothing
  }

  mutating func received(_ answer: Answer, now: NIODeadline) -> Received {
    heardAt = now
    guard let id = answer.id else { return .unasked(answer.line) }
    if id == pingID {
      pingID = nil
      return .nothing
    }
    switch entries.removeValue(forKey: id) {
    case .waiting(_, let waiter, _):
      waitingCount -= 1
      return .answer(waiter, answer)
    case .abandoned(let call): return .giveBack(leasesBack(of: call, answer))
    case .reserved, .cancelled, nil: return .nothing
    }
  }

  /// Leases of one who has gone would keep others waiting until their time is up.
  private func leasesBack(of call: Call, _ answer: Answer) -> [Call] {
    guard let (ns, keys) = call.leased, answer.bringsLease else { return [] }
    let found = (try? answer.foundEach()) ?? (try? answer.found()).map { [$0] } ?? []
    return zip(keys, found).compactMap { key, one in one.lease.map { .release(ns: ns, key: key, lease: $0, .released) }
    }
  }

  // MARK: Time

  struct Tick {
    /// Their time is up.
    var late: [Waiter] = []
    var move = Move.nothing
    /// It keeps callers waiting and doesn't answer a ping: it is to end.
    var isDead = false
  }

  /// `patience`: for so long it may say nothing, while somebody waits, before it is asked for a sign of life, and again
  /// before it is given up.
  mutating func tick(now: NIODeadline, patience: TimeAmount) -> Tick {
    var tick = Tick()
    for (id, entry) in entries {
      guard case .waiting(let call, let waiter, let until) = entry, until <= now else { continue }
      entries[id] = .abandoned(call)
      waitingCount -= 1
      tick.late.append(waiter)
    }
    guard now - heardAt > patience else { return tick }
    if pingID == nil {
      lastID += 1
      pingID = lastID
      heardAt = now
      tick.move = write(.ping, id: lastID)
    } else {
      tick.isDead = true
    }
    return tick
  }

  /// Nothing more comes. Whoever is returned is to be told why.
  mutating func finish(_ why: PannierError) -> [Waiter] {
    guard end == nil else { return [] }
    end = why
    let waiters = entries.values.compactMap { if case .waiting(_, let waiter, _) = $0 { waiter } else { nil } }
    // Those reserved are refused when they send.
    entries = [:]
    waitingCount = 0
    pingID = nil
    outgoing = ByteBuffer()
    return waiters
  }
}

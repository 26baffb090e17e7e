// The page where the wire and the core meet: lines in, answers out. It knows no sockets and no loop; the time is set by
// whoever calls.

package import Logging
package import PannierCore
package import PannierWire

/// Serves all sessions, on one thread, one line at a time.
package final class Dispatcher {
  /// The most lines of one session in a turn: beyond, others come first.
  package static let linesPerTurn = 64
  /// Entries that one slice of upkeep looks at: some 50 µs, so that the caller can stop close to its bound of 1 ms.
  package static let sliceEntries = 256

  package internal(set) var configuration: Configuration
  /// The configuration's, which hold until the process ends.
  package let limits: Limits
  private let cachePlace: Pinned<Cache>
  private let decoderPlace: Pinned<RequestDecoder>
  var policies: PolicyBook
  private let clockPlace: Pinned<CacheClock>
  let log: Logger
  /// What only the process around it knows, asked for by `stats`.
  package var facts: () -> ServerFacts = { ServerFacts() }

  /// Clears whose answer is to come, by ticket.
  var parked: [ClearTicket: ParkedRequest] = [:]
  /// Gets that wait for a load, by what they wait for: one of several keys stands here several times.
  var waiting: [WaitTicket: WaitingGet] = [:]
  /// Requests whose answer waits for the shared tier, by the changes they made.
  var sharedCalls: [ChangeTicket: (call: SharedCall, place: Int)] = [:]
  /// Those that ask why a key is there or isn't, by what the shared tier is asked for them.
  var questions: [QuestionTicket: WaitingQuestion] = [:]
  var watchers: [ObjectIdentifier: Session] = [:]
  /// What each turn asks first.
  struct TurnFlags {
    /// Somebody watches: events are told after each request.
    var isWatched = false
    /// Something was asked that may have left the cache work, or a deadline, since the loop last looked.
    var mayNeedUpkeep = true
    /// `takeDirty` has something to give.
    var hasDirty = false
  }
  let flags = Pinned(TurnFlags())
  private var dirty: [Session] = []
  let requestCounts = UnsafeMutablePointer<Int>.allocate(capacity: Op.allCases.count)
  var errorCounts: [ErrorCode: Int] = [:]
  private var references = 0
  /// The server is going: who would wait is answered at once.
  package var isLeaving = false

  /// `seed`: random in a daemon, fixed in a test.
  package init(configuration: Configuration, clock: CacheClock, seed: UInt64, log: Logger) {
    self.configuration = configuration
    clockPlace = Pinned(clock)
    self.log = log
    limits = configuration.limits
    cachePlace = Pinned(
      Cache(
        memoryBytes: configuration.memoryBytes,
        namespaceLimit: min(
          configuration.limits.namespaces, Cache.mostNamespaces(memoryBytes: configuration.memoryBytes)),
        loadLimits: LoadLimits(configuration.limits), seed: seed,
        sharedTimeoutMilliseconds: configuration.redis.address == nil ? nil : configuration.redis.timeoutMilliseconds))
    decoderPlace = Pinned(RequestDecoder(limits: RequestLimits(configuration.limits, testClock: clock.isManual)))
    requestCounts.initialize(repeating: 0, count: Op.allCases.count)
    policies = PolicyBook(configuration)
    for name in configuration.namespaces.keys.sorted() {
      _ = withBytes(name) { cache.addNamespace($0, policy: policies.policy(for: name)) }
    }
  }

  deinit { requestCounts.deallocate() }

  package var cache: Cache {
    @inline(__always) _read { yield cachePlace.value }
    @inline(__always) _modify { yield &cachePlace.value }
  }

  var clock: CacheClock {
    @inline(__always) _read { yield clockPlace.value }
    @inline(__always) _modify { yield &clockPlace.value }
  }

  var decoder: RequestDecoder {
    @inline(__always) _read { yield decoderPlace.value }
    @inline(__always) _modify { yield &decoderPlace.value }
  }

  /// Milliseconds since the cache began.
  package var now: Int64 { clock.now }

  /// Its time stands still until a client moves it.
  package var isTimeManual: Bool { clock.isManual }

  /// The loop's time, in milliseconds since the process began; a clock that stands still ignores it.
  package func setTime(_ milliseconds: Int64) {
    clock.setReal(milliseconds)
    cache.checkProof(now: now)
  }

  @inline(__always)
  func perform(_ op: Op, _ id: Bytes?, _ session: Session) throws(Refusal) {
    if op == .get {
      if let plain = try decoder.plainGet(), get(plain, id, session) {
        requestCounts[Int(op.rawValue)] &+= 1
        return
      }
      try performGet(id, session)
    } else {
      let request = try decoder.request(op)
      requestCounts[Int(op.rawValue)] &+= 1
      flags.value.mayNeedUpkeep = true
      try performOther(request, id, session)
    }
  }

  @inline(never)
  private func performGet(_ id: Bytes?, _ session: Session) throws(Refusal) {
    let asked = try decoder.get()
    requestCounts[Int(Op.get.rawValue)] &+= 1
    try get(asked, id, session)
  }

  /// Apart from `get`, so that the commonest request needs no room for what all others need.
  @inline(never)
  private func performOther(_ request: Request, _ id: Bytes?, _ session: Session) throws(Refusal) {
    switch request {
    case .get(let get): try self.get(get, id, session)
    case .set(let set): try self.set(set, id, session)
    case .release(let release): try self.release(release, id, session)
    case .delete(let delete): try self.delete(delete, id, session)
    case .touch(let touch): try self.touch(touch, id, session)
    case .exists(let ns, let key): try exists(ns, key, id, session)
    case .keys(let keys): try self.keys(keys, id, session)
    case .clear(let clear): try self.clear(clear, id, session)
    case .hello: hello(id, session)
    case .ping: session.output.done(id: id)
    case .stats(let ns): try stats(ns, id, session)
    case .policy(let ns, let set): try policy(ns, set, id, session)
    case .explain(let ns, let key): try explain(ns, key, id, session)
    case .watch(let watch): try self.watch(watch, id, session)
    case .advance(let milliseconds): try advance(milliseconds, id, session)
    }
  }

  // MARK: Errors

  @inline(never)
  func refuse(_ refusal: Refusal, _ id: Bytes?, _ session: Session) {
    errorCounts[refusal.code, default: 0] += 1
    session.output.refused(refusal.code == .internal ? logged(refusal) : refusal, id: id)
  }

  /// A defect of ours: the client gets a reference, the log what happened.
  private func logged(_ refusal: Refusal) -> Refusal {
    references += 1
    log.error("internal error", metadata: ["reference": "\(references)", "problem": "\(refusal.message)"])
    return Refusal(.internal, "a defect of the server's; its log has reference=\(references)")
  }

  /// Says why, once what came before is answered; then the connection closes.
  @inline(never)
  package func end(_ session: Session, _ refusal: Refusal) {
    session.progress.isEnding = true
    session.progress.farewell = refusal
    sayFarewell(session)
  }

  /// The client will send nothing more: what it sent is still answered, a last line without LF too.
  package func endOfInput(_ session: Session) {
    session.framer.finish()
  }

  func sayFarewell(_ session: Session) {
    guard let refusal = session.progress.farewell, session.inFlight == 0 else { return }
    session.progress.farewell = nil
    refuse(refusal, nil, session)
    markDirty(session)
  }

  // MARK: Turns

  func markDirty(_ session: Session) {
    guard !session.progress.isDirty else { return }
    session.progress.isDirty = true
    flags.value.hasDirty = true
    dirty.append(session)
  }

  /// Sessions that were told something out of their own turn, and whose output is to be written now. What a session is
  /// answered in its own turn its caller writes anyway.
  package func takeDirty() -> [Session] {
    defer {
      dirty.removeAll(keepingCapacity: true)
      flags.value.hasDirty = false
    }
    for session in dirty { session.progress.isDirty = false }
    return dirty
  }

  /// `takeDirty` has something to give.
  package var hasDirty: Bool { flags.value.hasDirty }

  package var isWatched: Bool { flags.value.isWatched }

  /// Whether something was asked since the last time that may have left the cache work, or a deadline.
  package func takeNeedOfLook() -> Bool {
    defer { flags.value.mayNeedUpkeep = false }
    return flags.value.mayNeedUpkeep
  }

  package var needsUpkeep: Bool { cache.needsUpkeep(now: now) }

  /// Upkeep that the next turn should begin with; what expires meanwhile may wait for its timer.
  package var hasBackgroundWork: Bool { cache.hasPendingWork() }

  /// When something expires next, in milliseconds; nil: nothing does.
  package var nextExpiry: Int64? { cache.nextExpiry }

  /// When a lease, a pause or a wait is over next, in milliseconds; nil: there is none.
  package var nextDeadline: Int64? { cache.nextDeadline }

  /// One slice of the cache's own work.
  package func upkeep() {
    cache.upkeep(entries: Self.sliceEntries, now: now)
    answerParked()
    answerWoken()
    answerShared()
    if flags.value.isWatched { tellWatchers() }
  }

  /// After a change that no request made: those who wait or watch are told, and the loop looks at what is due.
  package func tellOfChange() {
    answerWoken()
    answerShared()
    answerParked()
    flags.value.mayNeedUpkeep = true
    if flags.value.isWatched { tellWatchers() }
  }

  /// A change that another process left to be told. False: there is no room for its namespace.
  package func restore(_ change: LeftChange) -> Bool {
    cache.restore(change, policy: policies.policy(for: String(decoding: change.ns, as: UTF8.self)))
  }

  /// The session's socket is gone.
  package func forget(_ session: Session) {
    session.isGone = true
    endLoads(of: session)
    tellOfChange()
    if watchers.removeValue(forKey: ObjectIdentifier(session)) != nil { watchChanged() }
  }
}

/// Lends an array's bytes, or nothing.
func withOptionalBytes(_ bytes: [UInt8]?, _ body: (Bytes?) -> Void) {
  guard let bytes else { return body(nil) }
  bytes.withUnsafeBytes { body($0) }
}

/// Lends a string's bytes.
func withBytes<Result>(_ text: String, _ body: (Bytes) -> Result) -> Result {
  var text = text
  return text.withUTF8 { body(Bytes($0)) }
}

extension LoadLimits {
  init(_ limits: Limits) {
    self.init()
    loads = limits.loads
    waiting = limits.waiting
    waitingPerKey = limits.waitingPerKey
  }
}

extension RequestLimits {
  init(_ limits: Limits, testClock: Bool) {
    self.init()
    keyBytes = limits.keyBytes
    nesting = limits.nesting
    items = limits.items
    self.testClock = testClock
  }
}

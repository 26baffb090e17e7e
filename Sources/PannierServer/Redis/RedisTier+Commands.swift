// What the cache has asked of Redis: each command is sent in its place, and its answer handed back. It decides nothing.

import CUV
import PannierCore
import PannierDispatch
import PannierWire

extension RedisTier {
  private static let pttl = Array("PTTL".utf8)
  private static let get = Array("GET".utf8)

  /// What the cache has asked for since it was asked last. Once in each turn, so that one write carries all.
  func carryOut() {
    breakIfSilent()
    guard dispatcher.cache.hasSharedCommands else { return }
    for command in dispatcher.cache.takeSharedCommands() { carryOut(command) }
    commands?.flush()
  }

  private func carryOut(_ command: SharedCommand) {
    guard let connection = commands, connection.isReady, state == .up || state == .suspended else {
      return answerLost(command)
    }
    let sentAt = uv_hrtime()
    switch command {
    case .read(let flight, let ns, let key):
      guard !line.isEmpty, line.concerns(writer.value(ns, key)) else { return read(flight, ns, key) }
      sendInLine(nil) { tier, _ in tier.read(flight, ns, key) }
    case .fill(let ns, let value, let lease): sendInLine((ns, value)) { $0.fill(ns, value, packed: $1, lease) }
    case .claim(let number, let ns, let key, let token, let span):
      sendInLine(nil) { tier, _ in tier.claim(number, ns, key, token, span) }
    case .release(let ns, let key, let token, let pause, let span):
      sendInLine(nil) { tier, _ in tier.release(ns, key, token, pause, span) }
    case .change(let number, let ns, let change):
      var value: (ns: [UInt8], SharedValue)?
      if case .set(let new, _) = change { value = (ns, new) }
      sendInLine(value) { $0.change(number, ns, change, packed: $1) }
    case .groups(let ns): askGroups(ns, connection, sentAt)
    case .barrier(let number, let incarnation, let seen):
      barrier(number, RecordID(incarnation: incarnation, number: seen), connection, sentAt)
    case .inspect(let number, let ns, let key): sendInLine(nil) { tier, _ in tier.inspect(number, ns, key) }
    case .setIf(let number, let ns, let value, let front, let seen):
      sendInLine((ns, value)) {
        $0.change(
          conditional: number,
          $0.writer.setIf(
            number, ns, value, packed: $1, front: front, seen: seen, connection: $0.connectionNumber,
            endsLease: $0.dispatcher.cache.endsSharedLeases(ns)))
      }
    case .touch(let number, let ns, let value, let front, let seen):
      sendInLine(nil) { tier, _ in
        tier.change(
          conditional: number,
          tier.writer.touch(number, ns, value, front: front, seen: seen, connection: tier.connectionNumber))
      }
    }
  }

  /// Sends a command in its place, once the value that it stores, if any, is ready.
  private func sendInLine(
    _ stored: (ns: [UInt8], value: SharedValue)?, _ send: @escaping (RedisTier, _ packed: [UInt8]?) -> Void
  ) {
    let place = line.hold(stored.map { writer.value($0.ns, $0.value.key) })
    let isReady: ([UInt8]?) -> Void = { [weak self] packed in
      guard let self else { return }
      line.fill(place) { [unowned self] in send(self, packed) }
      while let send = line.takeNext() { send() }
    }
    guard let stored else { return isReady(nil) }
    packer.pack(stored.value.value, from: dispatcher.cache.compressedFromBytes(stored.ns), isReady)
  }

  private func change(_ number: UInt64, _ ns: [UInt8], _ change: SharedChange, packed: [UInt8]?) {
    guard let connection = commands,
      let arguments = writer.change(
        number, ns, change, packed: packed, connection: connectionNumber,
        endsLeases: dispatcher.cache.endsSharedLeases(ns))
    else { return reply(.lost, to: number) }
    let sentAt = uv_hrtime()
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) {
        let outcome = RedisReader.outcome(reply)
        $0.reply(outcome, to: number)
        if case .clear(_, soft: false) = change, case .done = outcome { $0.walkThrough(ns) }
      }
    }
  }

  private func fill(_ ns: [UInt8], _ value: SharedValue, packed: [UInt8]?, _ lease: LeaseToken?) {
    guard let connection = commands, let arguments = writer.fill(ns, value, packed: packed, under: lease) else {
      return
    }
    let sentAt = uv_hrtime()
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) {
        guard let lease else { return }
        if reply == .lost { $0.dispatcher.cache.sharedLost(releaseOf: ns, value.key, lease) }
        if RedisReader.isRefusal(reply) { $0.dispatcher.cache.sharedRefused(fillOf: ns, value.key, lease) }
      }
    }
  }

  private func claim(_ number: UInt64, _ ns: [UInt8], _ key: [UInt8], _ token: LeaseToken, _ milliseconds: Int64) {
    guard let connection = commands,
      let arguments = writer.claim(ns, key, token, milliseconds: milliseconds, connection: connectionNumber)
    else {
      return dispatcher.cache.sharedReplied(claim: number, .unknown, at: 0, now: dispatcher.now)
    }
    let sentAt = uv_hrtime()
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) {
        // It may have been carried out.
        if reply == .lost { return }
        let (outcome, last) = RedisReader.claim(reply)
        $0.dispatcher.cache.sharedReplied(claim: number, outcome, at: last, now: $0.dispatcher.now)
      }
    }
  }

  private func release(
    _ ns: [UInt8], _ key: [UInt8], _ token: LeaseToken, _ pause: PauseReason?, _ milliseconds: Int64
  ) {
    guard let connection = commands,
      let arguments = writer.release(ns, key, token, pause, milliseconds: milliseconds)
    else { return }
    let sentAt = uv_hrtime()
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) {
        switch reply {
        case .lost, .error: $0.dispatcher.cache.sharedLost(releaseOf: ns, key, token)
        default: break
        }
      }
    }
  }

  /// One that depends on what stands.
  private func change(conditional number: UInt64, _ arguments: [[UInt8]]?) {
    guard let arguments, let connection = commands else {
      return dispatcher.cache.sharedReplied(conditional: number, .lost, now: dispatcher.now)
    }
    let sentAt = uv_hrtime()
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) {
        $0.dispatcher.cache.sharedReplied(
          conditional: number, RedisReader.conditional(reply), now: $0.dispatcher.now)
      }
    }
  }

  /// The floor first: what it says is in the log by the time that the log is read.
  private func barrier(
    _ number: UInt64, _ position: RecordID, _ connection: RedisConnection, _ sentAt: UInt64
  ) {
    var floor: (incarnation: UInt64, number: UInt64)?
    connection.send(writer.floor()) { floor = RedisReader.floor($0) }
    connection.send(writer.since(position, count: RedisTail.recordsAtOnce)) { [weak self] reply in
      self?.received(reply, sentAt) { tier in
        let records = RedisReader.entries(reply, boot: tier.writer.boot)
        tier.dispatcher.cache.sharedBarrier(
          number, records ?? [], floor: records == nil ? nil : floor, now: tier.dispatcher.now)
      }
    }
  }

  private func inspect(_ number: UInt64, _ ns: [UInt8], _ key: [UInt8]) {
    guard let connection = commands else { return answerLost(.inspect(number: number, ns: ns, key: key)) }
    let sentAt = uv_hrtime()
    let name = writer.value(ns, key)
    var left: RedisReply = .lost
    connection.send([Self.pttl, name]) { left = $0 }
    connection.send([Self.get, name]) { [weak self] reply in
      self?.received(reply, sentAt) { tier in
        let (found, front) = RedisReader.inspection(reply, left: left, key: key)
        tier.unpack(found, ns) { [unowned tier] read, fault in
          let inspection = SharedInspection(read: read, front: front, fault: fault)
          tier.dispatcher.cache.sharedInspected(number, inspection, now: tier.dispatcher.now)
        }
      }
    }
  }

  private func read(_ flight: UInt64, _ ns: [UInt8], _ key: [UInt8]) {
    guard let connection = commands else { return answerLost(.read(flight: flight, ns: ns, key: key)) }
    let sentAt = uv_hrtime()
    let name = writer.value(ns, key)
    var left: RedisReply = .lost
    connection.send([Self.pttl, name]) { left = $0 }
    connection.send([Self.get, name]) { [weak self] reply in
      self?.received(reply, sentAt) { tier in
        tier.unpack(RedisReader.value(reply, left: left, key: key), ns) { [unowned tier] read, _ in
          tier.dispatcher.cache.sharedReplied(flight: flight, read, now: tier.dispatcher.now)
        }
      }
    }
  }

  /// What a read came to, and why it is `failed` where what stands there is no value.
  private typealias Unpacked = (SharedRead, _ fault: String?) -> Void

  /// Replies to reads may so come late and out of order: each is held against what has been applied when it comes.
  private func unpack(_ found: RedisReader.Found, _ ns: [UInt8], _ done: @escaping Unpacked) {
    switch found {
    case .read(.value(let value, let left)) where packer.isPooled(value.value):
      packer.verify(value.value) { [weak self] in self?.take($0, as: value, left, else: .payload, done) }
    case .read(.value(let value, _)) where !packer.isValue(value.value):
      unpack(.foreign(EnvelopeFault.payload.rawValue), ns, done)
    case .packed(let value, let left):
      packer.unpack(value.value, atMost: dispatcher.cache.largestSharedValue(ns)) { [weak self] in
        self?.take($0, as: value, left, else: .encoding, done)
      }
    case .read(let read): done(read, nil)
    case .foreign(let fault): refuse(fault, done)
    }
  }

  private func take(
    _ payload: [UInt8]?, as value: SharedValue, _ left: Int64?, else fault: EnvelopeFault,
    _ done: Unpacked
  ) {
    beginReply()
    if let payload {
      var value = value
      value.value = payload
      done(.value(value, leftMilliseconds: left), nil)
    } else {
      refuse(fault.rawValue, done)
    }
    endReply()
  }

  private func refuse(_ fault: String, _ done: Unpacked) {
    count(fault)
    done(.failed, fault)
  }

  /// Something of it was cleared; an empty name: of all namespaces.
  private func walkThrough(_ ns: [UInt8]) {
    for ns in ns.isEmpty ? dispatcher.cache.sharedNames : [ns] { walk?.add(ns) }
  }

  private func askGroups(_ ns: [UInt8], _ connection: RedisConnection, _ sentAt: UInt64) {
    guard let arguments = writer.join(known: incarnation, namespaces: [ns], connection: nil) else { return }
    connection.send(arguments) { [weak self] reply in
      self?.received(reply, sentAt) { tier in
        guard let joined = RedisReader.joined(reply), let table = joined.tables.first else { return }
        if joined.incarnation != tier.incarnation { return tier.rejoin("the log has another incarnation") }
        tier.dispatcher.cache.sharedGroups(ns, table.clears, otherTags: table.otherTags)
      }
    }
  }

  private func answerLost(_ command: SharedCommand) {
    switch command {
    case .read(let flight, _, _): dispatcher.cache.sharedReplied(flight: flight, .failed, now: dispatcher.now)
    case .change(let number, _, _): reply(.lost, to: number)
    case .inspect(let number, _, _):
      dispatcher.cache.sharedInspected(
        number, SharedInspection(read: .failed, front: []), now: dispatcher.now)
    case .setIf(let number, _, _, _, _), .touch(let number, _, _, _, _):
      dispatcher.cache.sharedReplied(conditional: number, .lost, now: dispatcher.now)
    case .barrier(let number, _, _):
      dispatcher.cache.sharedBarrier(number, [], floor: nil, now: dispatcher.now)
    case .claim(let number, _, _, _, _):
      dispatcher.cache.sharedReplied(claim: number, .unknown, at: 0, now: dispatcher.now)
    case .fill(let ns, let value, let lease):
      if let lease { dispatcher.cache.sharedLost(releaseOf: ns, value.key, lease) }
    case .release(let ns, let key, let token, _, _): dispatcher.cache.sharedLost(releaseOf: ns, key, token)
    case .groups: break
    }
    dispatcher.tellOfChange()
  }

  private func reply(_ reply: SharedReply, to number: UInt64) {
    dispatcher.cache.sharedReplied(change: number, reply, now: dispatcher.now)
  }
}

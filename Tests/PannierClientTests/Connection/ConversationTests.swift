// What belongs to which request, and when a connection is given up: without a connection, and with the time given.

import NIOCore
import Testing

@testable import PannierClient

@Suite struct ConversationTests {
  private typealias Subject = Conversation<String>

  private static let get = Call.get(ns: "n", keys: ["k"], .init())
  private static let leasing: Call = {
    var reading = Call.Reading()
    reading.leases = true
    return .get(ns: "n", keys: ["k"], reading)
  }()

  private static func at(_ milliseconds: UInt64) -> NIODeadline { .uptimeNanoseconds(milliseconds * 1_000_000) }

  @discardableResult
  private func send(
    _ call: Call = get, as name: String, on subject: inout Subject, at milliseconds: UInt64 = 0
  ) -> UInt64 {
    let id = subject.reserve()
    let now = Self.at(milliseconds)
    guard case .sent = subject.send(call, id: id, name, until: now + .milliseconds(200), now: now) else {
      Issue.record("\(name) isn't sent")
      return id
    }
    return id
  }

  private func hear(_ line: String, on subject: inout Subject, at milliseconds: UInt64 = 0) -> String {
    switch subject.received(Answer(line: ByteBuffer(string: line)), now: Self.at(milliseconds)) {
    case .answer(let waiter, _): waiter
    case .giveBack(let calls): "back \(calls.map { Self.line($0) })"
    case .unasked: "unasked"
    case .nothing: "nothing"
    }
  }

  private static func line(_ call: Call) -> String {
    var buffer = ByteBuffer()
    call.write(id: 0, to: &buffer)
    return String(buffer: buffer)
  }

  @Test func answersFindWhoAsked() {
    var subject = Subject()
    for name in ["a", "b", "c"] { send(as: name, on: &subject) }
    #expect(hear(#"{"id":2,"ok":true,"hit":false}"#, on: &subject) == "b")
    #expect(hear(#"{"id":3,"ok":true,"hit":false}"#, on: &subject) == "c")
    #expect(hear(#"{"id":3,"ok":true,"hit":false}"#, on: &subject) == "nothing")
    for stray in [#"{"ok":true}"#, #"{"id":"1","ok":true}"#, #"{"id":18446744073709551616,"ok":true}"#, "", "x"] {
      #expect(hear(stray, on: &subject) == "unasked")
    }
    #expect(hear(#"{"id":1,"ok":true,"hit":false}"#, on: &subject) == "a")
    #expect(!subject.needsTicks)
  }

  @Test func whatIsAskedTogetherGoesOutTogether() {
    var subject = Subject()
    let first = subject.reserve()
    let now = Self.at(0)
    guard case .sent(.write) = subject.send(Self.get, id: first, "a", until: now, now: now) else {
      Issue.record("nobody is to write")
      return
    }
    guard case .sent(.nothing) = subject.send(.ping, id: subject.reserve(), "b", until: now, now: now) else {
      Issue.record("two are to write")
      return
    }
    let outgoing = subject.takeOutgoing()
    #expect(
      outgoing.map { String(buffer: $0) }
        == #"{"id":1,"op":"get","ns":"n","key":"k"}"# + "\n" + #"{"id":2,"op":"ping"}"# + "\n")
    #expect(subject.takeOutgoing() == nil)
    guard case .write = subject.tell(.ping) else {
      Issue.record("nobody is to write again")
      return
    }
  }

  @Test func whoHasGoneGetsNothingAndGivesItsLeaseBack() {
    var subject = Subject()
    let id = send(Self.leasing, as: "gone", on: &subject)
    #expect(subject.abandon(id) == "gone")
    #expect(subject.abandon(id) == nil)
    #expect(
      hear(#"{"id":1,"ok":true,"hit":false,"lease":"ab"}"#, on: &subject)
        == "back \([#"{"id":0,"op":"release","ns":"n","key":"k","lease":"ab"}"# + "\n"])")
    let other = send(Self.leasing, as: "other", on: &subject)
    _ = subject.abandon(other)
    #expect(hear(#"{"id":2,"ok":true,"hit":true,"value":{"lease":"no"}}"#, on: &subject) == "back []")
  }

  @Test func leasesOfManyKeysAreGivenBackEach() {
    var reading = Call.Reading()
    reading.leases = true
    reading.isMany = true
    var subject = Subject()
    let id = send(.get(ns: "n", keys: ["a", "b", "c"], reading), as: "gone", on: &subject)
    _ = subject.abandon(id)
    let answer =
      #"{"id":1,"ok":true,"items":[{"hit":false,"lease":"1"},{"hit":true,"value":1},{"hit":false,"lease":"3"}]}"#
    let lines = [("a", "1"), ("c", "3")].map {
      #"{"id":0,"op":"release","ns":"n","key":"\#($0)","lease":"\#($1)"}"# + "\n"
    }
    #expect(hear(answer, on: &subject) == "back \(lines)")
  }

  @Test func whoIsCancelledBeforeItSendsIsNotSent() {
    var subject = Subject()
    let id = subject.reserve()
    #expect(subject.abandon(id) == nil)
    guard case .refused(let error) = subject.send(Self.get, id: id, "x", until: Self.at(1), now: Self.at(0)) else {
      Issue.record("it is sent")
      return
    }
    #expect(error is CancellationError)
    #expect(subject.takeOutgoing() == nil)
  }

  @Test func whoWaitsTooLongIsToldAndItsAnswerIsNobodys() {
    var subject = Subject()
    send(Self.leasing, as: "a", on: &subject, at: 0)
    send(as: "b", on: &subject, at: 100)
    #expect(subject.tick(now: Self.at(199), patience: .milliseconds(500)).late.isEmpty)
    #expect(subject.tick(now: Self.at(200), patience: .milliseconds(500)).late == ["a"])
    #expect(hear(#"{"id":1,"ok":true,"hit":false,"lease":"l"}"#, on: &subject, at: 210).hasPrefix("back [\"{"))
    #expect(hear(#"{"id":2,"ok":true,"hit":false}"#, on: &subject, at: 220) == "b")
  }

  @Test func oneThatSaysNothingIsAskedForASignOfLifeAndThenGivenUp() {
    var subject = Subject()
    let patience = TimeAmount.milliseconds(150)
    send(as: "a", on: &subject, at: 0)
    _ = subject.takeOutgoing()
    #expect(!subject.tick(now: Self.at(140), patience: patience).isDead)
    guard case .write = subject.tick(now: Self.at(160), patience: patience).move else {
      Issue.record("no ping")
      return
    }
    #expect(subject.takeOutgoing().map { String(buffer: $0) } == #"{"id":2,"op":"ping"}"# + "\n")
    let late = subject.tick(now: Self.at(300), patience: patience)
    #expect(late.late == ["a"])
    #expect(!late.isDead)
    #expect(subject.needsTicks)
    // Whoever comes meanwhile doesn't put its end off.
    send(as: "b", on: &subject, at: 305)
    #expect(subject.tick(now: Self.at(320), patience: patience).isDead)
  }

  @Test func aSignOfLifeIsOne() {
    var subject = Subject()
    let patience = TimeAmount.milliseconds(150)
    send(as: "a", on: &subject, at: 0)
    _ = subject.tick(now: Self.at(160), patience: patience)
    #expect(hear(#"{"id":2,"ok":true}"#, on: &subject, at: 170) == "nothing")
    #expect(!subject.tick(now: Self.at(310), patience: patience).isDead)
  }

  /// A connection on which nothing was asked for long isn't silent.
  @Test func idlenessIsNoSilence() {
    var subject = Subject()
    send(as: "a", on: &subject, at: 0)
    #expect(hear(#"{"id":1,"ok":true,"hit":false}"#, on: &subject, at: 1) == "a")
    send(as: "b", on: &subject, at: 10_000)
    guard case .nothing = subject.tick(now: Self.at(10_020), patience: .milliseconds(150)).move else {
      Issue.record("it is asked at once")
      return
    }
  }

  @Test func itsEndIsToldOnceAndToAll() {
    var subject = Subject()
    for name in ["a", "b"] { send(as: name, on: &subject) }
    let reserved = subject.reserve()
    let gone = send(as: "gone", on: &subject)
    _ = subject.abandon(gone)
    #expect(subject.finish(.unavailable("it ended")).sorted() == ["a", "b"])
    #expect(subject.finish(.unavailable("again")).isEmpty)
    guard case .refused(let error) = subject.send(Self.get, id: reserved, "late", until: Self.at(1), now: Self.at(0))
    else {
      Issue.record("it is sent")
      return
    }
    #expect(error as? PannierError == .unavailable("it ended"))
    guard case .nothing = subject.tell(.ping) else {
      Issue.record("it is told something")
      return
    }
  }
}

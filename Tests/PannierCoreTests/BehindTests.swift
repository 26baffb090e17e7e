// Write-behind by the numbers: what is sent when, and what takes whose place.

import Testing

@testable import PannierCore

@Test func eachKeysLastValueIsSentAfterTheInterval() throws {
  let host = try Behind()
  for value in 1...3 {
    host.set("a", "\(value)")
    host.set("b\(value)")
    host.pass(30)
  }
  #expect(host.outcomes().map(\.isQueued) == Array(repeating: false, count: 6))
  #expect(host.sent() == [])
  host.pass(9)
  #expect(host.sent() == [])
  #expect(host.nextDeadline == host.now + 1)
  host.pass(1)
  // What came after the first waits for its own time.
  #expect(host.sent() == ["a=3 10", "b1=1 10"])
  #expect(host.standing.since == host.now - 100)
  #expect(host.shows("a") == "3")
}

@Test func batchesAreBoundedAndOneAtATime() throws {
  let host = try Behind()
  for key in 0..<300 { host.set("k\(key)") }
  host.pass(100)
  let first = host.commands()
  #expect(first.count == 128)
  host.pass(100)
  #expect(host.sent() == [])
  // All answered; the log has still to bring it.
  host.answer(first, log: false)
  host.pass(99)
  #expect(host.barriers() == 0)
  // It should have, and is asked.
  host.pass(1)
  #expect(host.barriers() == 1)
  host.pass(99)
  #expect(host.barriers() == 0)
  host.pass(1)
  #expect(host.barriers() == 1)
  #expect(host.sent() == [])
  host.catchUp()
  let second = host.commands()
  #expect(second.count == 128)
  #expect(second.first?.text == "k128=1 138")
  host.answer(second)
  #expect(host.commands().count == 44)
}

@Test func largeValuesMakeSmallBatches() throws {
  let host = try Behind()
  for key in 0..<10 { host.set("k\(key)", "\"" + String(repeating: "x", count: 300 << 10) + "\"") }
  host.pass(100)
  #expect(host.commands().count == 4)
}

@Test func aDeleteTakesThePlaceOfWhatWaits() throws {
  let host = try Behind()
  for key in ["a", "b", "c"] { host.set(key) }
  host.delete("a")
  host.delete("b", "other", soft: true)
  let sent = host.commands()
  #expect(sent.map(\.text) == ["delete a", "soften other", "delete b"])
  host.answer(sent)
  host.pass(100)
  #expect(host.sent() == ["c=1 13"])
}

@Test func whatIsSetWhileItsOlderValueIsUnderWayStays() throws {
  let host = try Behind()
  host.set("a", "1")
  host.pass(100)
  let first = host.commands()
  host.set("a", "2")
  host.answer(first)
  #expect(host.shows("a") == "2")
  host.pass(100)
  let second = host.commands()
  #expect(second.map(\.text) == ["a=2 11"])
  host.answer(second)
  #expect(host.shows("a") == "2")
  #expect(host.isDrained)
}

@Test func aConflictIsSentAgainOnceTheLogHasToldWhy() throws {
  let host = try Behind()
  host.set("a")
  host.set("b")
  host.pass(100)
  for command in host.commands() {
    host.number += 2
    host.subject.cache.sharedReplied(change: command.number, .conflict(number: host.number), now: host.now)
  }
  host.pass(1000)
  #expect(host.sent() == [])
  #expect(host.shows("a") == "1")
  // The first was overtaken by another host, the second by what shares its slot.
  host.catchUp((11, "a"))
  #expect(host.shows("a") == nil)
  #expect(host.sent() == ["delete a", "b=1 14"])
}

@Test func aValueIsGivenUpAfterSoManyConflicts() throws {
  let host = try Behind()
  host.set("a")
  host.pass(100)
  var times = 0
  while let command = host.commands().first {
    times += 1
    host.number += 1
    host.subject.cache.sharedReplied(change: command.number, .conflict(number: host.number), now: host.now)
    host.catchUp()
  }
  #expect(times == 9)
  #expect(host.shows("a") == nil)
  #expect(host.isDrained)
}

@Test func whatComesBackWithAnErrorIsSentAgainALittleLater() throws {
  let host = try Behind()
  host.set("a")
  host.pass(100)
  for _ in 0..<3 {
    let sent = host.commands()
    #expect(sent.map(\.text) == ["a=1 10"])
    for command in sent { host.subject.cache.sharedReplied(change: command.number, .lost, now: host.now) }
    host.pass(99)
    #expect(host.sent() == [])
    host.pass(1)
  }
  #expect(host.shows("a") == "1")
}

@Test func aLostConnectionSendsItOnTheNext() throws {
  let host = try Behind()
  host.set("a")
  host.pass(100)
  #expect(host.sent() == ["a=1 10"])
  host.subject.cache.sharedLost(now: host.now)
  host.set("b")
  #expect(host.outcomes().map(\.isQueued) == [false, true])
  host.subject.cache.sharedJoined(incarnation: 1, base: 1, number: host.number, now: host.now)
  #expect(host.sent() == ["a=1 10"])
}

@Test func anotherIncarnationMakesDeletesOfIt() throws {
  let host = try Behind()
  host.set("a")
  host.subject.cache.sharedJoined(incarnation: 2, base: 1, number: 5, now: host.now)
  #expect(host.shows("a") == nil)
  host.pass(100)
  #expect(host.sent() == ["delete a"])
}

// MARK: Besides

@Test func aLoadsValueTakesThePlaceOfWhatWaits() throws {
  let host = try Behind()
  host.set("a", "1")
  host.load("a", "2")
  host.pass(100)
  #expect(host.sent() == ["a=2 10"])
  #expect(host.shows("a") == "2")
}

@Test func aSetThatIsUnderWayIsOlder() throws {
  let host = try Behind { $0.write = .aside }
  host.set("a", "1")
  host.subject.change { $0.write = .behind }
  host.set("a", "2")
  host.answer(host.commands())
  #expect(host.shows("a") == "2")
  host.pass(100)
  #expect(host.sent() == ["a=2 11"])
}

@Test func aSetThatNeedNotWaitTakesThePlaceOfWhatDoes() throws {
  let host = try Behind { $0.behind.maxPending = 1 }
  for key in ["a", "b"] { host.set(key) }
  host.answer(host.commands(), log: false)
  host.subject.change { $0.write = .aside }
  host.set("b", "2")
  host.answer(host.commands())
  #expect(host.shows("b") == "2")
  #expect(host.isDrained)
}

/// A value that Redis deletes instead must not come after what was sent behind it.
@Test func noValueIsSentAgainBehindWhatDependsOnIt() throws {
  let host = try Behind()
  host.set("a")
  host.touch("a")
  let sent = host.commands()
  #expect(sent.map(\.text) == ["a=1 10"])
  host.number += 1
  host.subject.cache.sharedReplied(change: sent[0].number, .conflict(number: host.number), now: host.now)
  host.catchUp()
  #expect(host.sent() == [])
  #expect(host.standing.pending == 0)
  #expect(host.shows("a") == nil)
}

/// Nor does a value that was loaded meanwhile, which would follow it from the queue.
@Test func noLoadedValueWaitsBehindWhatDependsOnIt() throws {
  let host = try Behind()
  host.set("a")
  host.touch("a")
  let sent = host.commands()
  host.load("a", "loaded")
  #expect(host.standing.pending == 1)
  host.answer(sent)
  host.pass(1000)
  #expect(host.sent() == [])
  #expect(host.isDrained)
}

@Test func whatComesBackWithAnErrorIsADeleteWhereAnythingDependsOnIt() throws {
  let host = try Behind()
  host.set("a")
  host.touch("a")
  for command in host.commands() { host.subject.cache.sharedReplied(change: command.number, .lost, now: host.now) }
  #expect(host.shows("a") == nil)
  host.pass(100)
  #expect(host.sent() == ["delete a"])
}

@Test func withOneTierAloneNothingIsBehind() throws {
  let host = try Behind { $0.tiers = .redis }
  host.set("a")
  #expect(host.sent() == ["a=1 -"])
  #expect(host.outcomes() == [])
}

@Test func aNamespaceThatStoresNothingDeletes() throws {
  let host = try Behind { $0.mode = .bypass }
  host.set("a")
  #expect(host.sent() == ["delete a"])
}

@Test func atTheEndNothingWaitsForItsTime() throws {
  let host = try Behind { $0.behind.intervalMilliseconds = 3_600_000 }
  for key in 0..<300 { host.set("k\(key)") }
  host.subject.cache.drainShared(now: host.now)
  for count in [128, 128, 44] {
    #expect(!host.isDrained)
    let batch = host.commands()
    #expect(batch.count == count)
    host.answer(batch)
  }
  #expect(host.isDrained)
  host.set("last")
  host.pass(0)
  #expect(host.sent() == ["last=1 310"])
}

@Test func whatIsSentAgainWaitsForNoOthers() throws {
  let host = try Behind()
  host.set("a")
  host.pass(99)
  host.set("b")
  host.pass(1)
  let first = host.commands()
  #expect(first.map(\.text) == ["a=1 10"])
  for command in first {
    host.number += 1
    host.subject.cache.sharedReplied(change: command.number, .conflict(number: host.number), now: host.now)
  }
  host.catchUp()
  #expect(host.sent() == ["a=1 11"])
}

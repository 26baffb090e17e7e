// Loads that one host of all is to do, as one host sees them: what it asks the shared tier, and what it makes of each answer. The
// clock is moved by hand, and the shared tier is what a test says it is.

import Testing

@testable import PannierCore

private let owner: OwnerID = 7
private let bytes = Array("k".utf8)

@Test func aLoadIsClaimedBeforeItIsGranted() throws {
  let host = FleetHost()
  #expect(isClaim(host.get()))
  let ticket = try host.claim()
  let asked = try host.asked()
  // Until the answer nobody else here is elected, or asks again.
  #expect(isBusy(host.get()))
  #expect(isWait(host.get(waits: true)))
  host.answer(asked, .won)
  let woken = host.woken()
  #expect(woken.map(\.ticket) == [ticket])
  #expect(woken.map(\.isElected) == [true])
  guard case .granted(let token, nil) = host.get(turn: ticket) else { throw Unexpected(what: "no lease") }
  // What the shared tier has, so that the fill is known there.
  #expect(token == asked.token)
  #expect(host.counters.fleet == 1)
  #expect(host.store(token) == .stored)
  guard case .fill(_, _, token) = try found(host.sent().first) else {
    throw Unexpected(what: "no fill under the lease")
  }
}

@Test func whatWasLoadedMeanwhileIsShown() throws {
  let host = FleetHost()
  let ticket = try host.claim()
  let asked = try host.asked()
  host.cache.sharedReplied(claim: asked.claim, .won, at: host.seen, now: host.now)
  let value = SharedValue(
    key: bytes, value: Array("5".utf8), ttlMilliseconds: 9000, version: 3, birth: Birth(incarnation: 1, number: 10))
  host.cache.sharedReplied(flight: asked.flight, .value(value, leftMilliseconds: 9000), now: host.now)
  _ = host.woken()
  guard case .hit(let hit) = host.get(turn: ticket) else { throw Unexpected(what: "no hit") }
  #expect(text(hit.value) == "5")
  // The load that nobody needs is given back.
  withBytes("k") { host.cache.decline(0, $0, turn: ticket, now: host.now) }
  #expect(host.sent() == [.release(ns: Array("f".utf8), key: bytes, token: asked.token, pause: nil, milliseconds: 0)])
}

@Test(arguments: [SharedRecord.Kind.filled, .set, .delete])
func whoIsToldThatAnotherHostLoadsWaitsForItsRecord(kind: SharedRecord.Kind) throws {
  let host = FleetHost()
  _ = try host.claim()
  host.answer(try host.asked(), .elsewhere(leftMilliseconds: 5000))
  #expect(host.woken().map(\.isElected) == [false])
  #expect(host.counters.elsewhere == 1)
  #expect(isBusy(host.get()))
  #expect(isWait(host.get(waits: true)))
  let waiter = try host.wait()
  host.pass(1000)
  #expect(!host.hasWoken)
  host.tell(kind)
  let woken = host.woken()
  #expect(woken.map(\.ticket) == [waiter])
  // It is to ask anew, and isn't elected: that is for the shared tier to say.
  #expect(woken.map(\.isAnew) == [true])
  #expect(woken.map(\.isElected) == [false])
  #expect(isClaim(host.get()))
}

@Test func anotherHostsLoadIsOverByItsTime() throws {
  let host = FleetHost()
  _ = try host.claim()
  host.answer(try host.asked(), .elsewhere(leftMilliseconds: 300))
  _ = host.woken()
  let waiter = try host.wait()
  host.pass(299)
  #expect(!host.hasWoken)
  host.pass(1)
  #expect(host.woken().map(\.ticket) == [waiter])
  #expect(isClaim(host.get()))
}

@Test(arguments: PauseReason.allCases) func aPauseOfAllHostsHoldsHere(reason: PauseReason) throws {
  let host = FleetHost()
  _ = try host.claim()
  host.answer(try host.asked(), .paused(reason, leftMilliseconds: 700))
  guard case .miss(let miss) = host.get() else { throw Unexpected(what: "no miss") }
  #expect(miss == (reason == .failed ? .failed(retryMilliseconds: 700) : .passed))
  host.pass(700)
  #expect(isClaim(host.get()))
}

@Test(arguments: [SharedScope.tags([Array("t".utf8)]), .match(Array("other".utf8)), .all])
func anyClearEndsAPauseOfAllHosts(scope: SharedScope) throws {
  let host = FleetHost()
  _ = try host.claim()
  host.answer(try host.asked(), .paused(.failed, leftMilliseconds: 700))
  host.tell(.clear, scope)
  #expect(isClaim(host.get()))
}

@Test func withoutAnAnswerEachHostElectsForItself() throws {
  let host = FleetHost()
  let ticket = try host.claim()
  let asked = try host.asked()
  host.pass(FleetHost.timeout)
  #expect(host.woken().map(\.isElected) == [true])
  guard case .granted(let token, _) = host.get(turn: ticket) else { throw Unexpected(what: "no lease") }
  #expect(host.counters.fleet == 0)
  // Won all the same, and too late: another may have it.
  host.cache.sharedReplied(claim: asked.claim, .won, at: host.seen, now: host.now)
  guard case .release(_, bytes, asked.token, nil, _) = try found(host.sent().first) else {
    throw Unexpected(what: "not given back")
  }
  #expect(host.store(token) == .stored)
  guard case .fill(_, _, nil) = try found(host.sent().first) else { throw Unexpected(what: "no plain fill") }
}

@Test func aLostLinkEndsWhatIsAwaited() throws {
  let host = FleetHost()
  _ = try host.claim()
  host.answer(try host.asked(), .elsewhere(leftMilliseconds: 5000))
  _ = host.woken()
  let waiter = try host.wait()
  host.cache.sharedLost(now: host.now)
  #expect(host.woken().map(\.ticket) == [waiter])
  #expect(isGranted(host.get()))
}

@Test func aClaimOfSomebodyWhoIsGoneIsGivenBack() throws {
  let host = FleetHost()
  _ = try host.claim()
  let asked = try host.asked()
  host.cache.end(owner, now: host.now)
  host.answer(asked, .won)
  #expect(host.woken().isEmpty)
  #expect(host.sent() == [.release(ns: Array("f".utf8), key: bytes, token: asked.token, pause: nil, milliseconds: 0)])
  #expect(isClaim(host.get()))
}

@Test(arguments: [LeaseEnd.released, .failed, .passed]) func aReleaseIsToldToAllHosts(end: LeaseEnd) throws {
  let host = FleetHost()
  let token = try host.elect()
  #expect(withBytes("k") { host.cache.release(0, $0, token, end, retryMilliseconds: 50, now: host.now) })
  guard case .release(_, bytes, token, let pause, let span) = try found(host.sent().first) else {
    throw Unexpected(what: "not told")
  }
  #expect(pause == (end == .released ? nil : end == .failed ? .failed : .passed))
  #expect(span == (end == .released ? 0 : 50))
}

@Test func aHolderThatIsGoneOrTooSlowGivesItBack() throws {
  for isGone in [true, false] {
    let host = FleetHost()
    let token = try host.elect()
    if isGone { host.cache.end(owner, now: host.now) } else { host.pass(5000) }
    guard case .release(_, bytes, token, nil, _) = try found(host.sent().first) else {
      throw Unexpected(what: "not given back")
    }
    #expect(host.store(token) == .leaseLost)
  }
}

@Test func anInvalidationEndsItHere() throws {
  let host = FleetHost()
  let token = try host.elect()
  host.tell(.delete)
  #expect(host.store(token) == .leaseLost)
  #expect(isClaim(host.get()))
}

@Test func aFillThatWasRefusedIsGivenBack() throws {
  let host = FleetHost()
  let token = try host.elect()
  #expect(host.store(token) == .stored)
  _ = host.sent()
  host.cache.sharedRefused(fillOf: Array("f".utf8), bytes, token)
  guard case .release(_, bytes, token, nil, _) = try found(host.sent().first) else {
    throw Unexpected(what: "not given back")
  }
}

@Test(arguments: [true, false]) func aLeaseIsHandedOverToWhoHasWaitedForAnother(hasWaited: Bool) throws {
  let host = FleetHost()
  let ticket = try host.claim()
  host.answer(try host.asked(), .won)
  #expect(isGranted(host.get(turn: ticket, hasWaited: hasWaited)))
  #expect(host.counters.handedOver == (hasWaited ? 1 : 0))
}

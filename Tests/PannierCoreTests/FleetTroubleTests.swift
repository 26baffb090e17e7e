// Loads of all hosts when things come in an unhandy order: records before replies, links that are lost in between, leases that nobody
// would give back. What a load left behind in the shared tier would keep every host from loading until its time is up.

import Testing

@testable import PannierCore

private let owner: OwnerID = 7
private let bytes = Array("k".utf8)

private func release(_ token: LeaseToken) -> SharedCommand {
  .release(ns: Array("f".utf8), key: bytes, token: token, pause: nil, milliseconds: 0)
}

@Test(arguments: [(SharedRecord.Kind.filled, nil), (.set, nil), (.delete, nil), (.clear, SharedScope.all)])
func anEndThatIsToldBeforeTheAnswerToAClaimIsNotWaitedFor(kind: SharedRecord.Kind, scope: SharedScope?) throws {
  for reply in [SharedClaimReply.elsewhere(leftMilliseconds: 5000), .paused(.failed, leftMilliseconds: 5000)] {
    let host = FleetHost()
    let claimant = try host.claim()
    let asked = try host.asked()
    let waiter = try host.wait()
    host.cache.sharedReplied(claim: asked.claim, reply, at: host.seen, now: host.now)
    if let scope { host.tell(kind, scope) } else { host.tell(kind) }
    #expect(!host.hasWoken)
    host.cache.sharedReplied(flight: asked.flight, .nothing, now: host.now)
    #expect(host.woken().map(\.ticket) == [claimant, waiter])
    #expect(isClaim(host.get()))
  }
}

@Test func aLoadWonTooLateIsGivenBackOnceTheSharedTierAnswers() throws {
  let host = FleetHost()
  _ = try host.claim()
  let asked = try host.asked()
  host.cache.sharedSuspended(now: host.now)
  host.cache.sharedReplied(claim: asked.claim, .won, at: host.seen, now: host.now)
  #expect(host.sent().isEmpty)
  host.cache.sharedResumed(now: host.now)
  #expect(host.sent() == [release(asked.token)])
  host.cache.sharedSuspended(now: host.now)
  host.cache.sharedResumed(now: host.now)
  #expect(host.sent().isEmpty)
}

@Test(arguments: [true, false])
func aClaimThatTheLinkTookAlongIsGivenBackWhenItIsThereAgain(isReadAnswered: Bool) throws {
  let host = FleetHost()
  _ = try host.claim()
  let asked = try host.asked()
  if isReadAnswered { host.cache.sharedReplied(flight: asked.flight, .failed, now: host.now) }
  host.cache.sharedLost(now: host.now)
  #expect(host.woken().map(\.isElected) == [true])
  host.cache.sharedJoined(incarnation: 1, base: 1, number: 10, now: host.now)
  #expect(host.sent().contains(release(asked.token)))
}

@Test func aLeaseThatEndsWithoutALinkIsGivenBackWhenItIsThereAgain() throws {
  for isFilled in [true, false] {
    let host = FleetHost()
    let token = try host.elect()
    host.cache.sharedLost(now: host.now)
    if isFilled { #expect(host.store(token) == .stored) } else { host.cache.end(owner, now: host.now) }
    #expect(host.sent().isEmpty)
    host.cache.sharedJoined(incarnation: 1, base: 1, number: 10, now: host.now)
    #expect(host.sent().contains(release(token)))
  }
}

@Test func aHostThatLostItsPlaceInTheLogGivesItsLeasesBack() throws {
  let host = FleetHost()
  let token = try host.elect()
  host.cache.sharedGap()
  host.cache.sharedLost(now: host.now)
  host.cache.sharedJoined(incarnation: 1, base: 1, number: 50, now: host.now)
  host.pass(1)
  #expect(host.store(token) == .leaseLost)
  #expect(host.sent().contains(release(token)))
}

@Test func aPolicyThatIsTheHostsOwnGivesBackWhatWasAllHosts() throws {
  var alone = Policy()
  alone.leaseScope = .host
  var unshared = Policy()
  unshared.tiers = [.memory]
  for policy in [alone, unshared] {
    for isWon in [true, false] {
      let host = FleetHost()
      let claimant = try host.claim()
      let asked = try host.asked()
      if isWon {
        host.answer(asked, .won)
        _ = host.woken()
        #expect(isGranted(host.get(turn: claimant)))
      }
      host.cache.setPolicy(policy, of: 0, by: Caller(pid: 1, uid: 1), now: host.now)
      host.pass(1)
      if !isWon {
        host.answer(asked, .won)
        #expect(host.woken().map(\.ticket) == [claimant])
        withBytes("k") { host.cache.decline(0, $0, turn: claimant, now: host.now) }
      }
      host.cache.end(owner, now: host.now)
      #expect(host.sent().contains(release(asked.token)))
    }
  }
}

@Test func aFillOfANamespaceThatIsNotSharedAnyMoreGivesItsLeaseBack() throws {
  let host = FleetHost()
  let token = try host.elect()
  var unshared = Policy()
  unshared.tiers = [.memory]
  host.cache.setPolicy(unshared, of: 0, by: Caller(pid: 1, uid: 1), now: host.now)
  _ = host.store(token)
  #expect(host.sent().contains(release(token)))
}

@Test func aReleaseThatTheLinkTookAlongIsToldOnceMore() throws {
  let host = FleetHost()
  let token = try host.elect()
  host.cache.end(owner, now: host.now)
  #expect(host.sent() == [release(token)])
  host.cache.sharedLost(releaseOf: Array("f".utf8), bytes, token)
  host.cache.sharedLost(now: host.now)
  host.cache.sharedJoined(incarnation: 1, base: 1, number: 10, now: host.now)
  #expect(host.sent().contains(release(token)))
}

@Test func aKeyIsClaimedOnceAtATime() throws {
  let host = FleetHost()
  _ = try host.claim()
  #expect(withBytes("k") { host.cache.claim(0, $0, by: owner, now: host.now) } == nil)
  host.answer(try host.asked(), .won)
  #expect(withBytes("k") { host.cache.claim(0, $0, by: owner, now: host.now) } == nil)
}

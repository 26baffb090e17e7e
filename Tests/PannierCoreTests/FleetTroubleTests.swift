// Loads of all hosts when things come in an unhandy order: records before replies, links that are lost in between, leases that nobody
// would give back. What a load left behind in the shared tier would keep every host from loading until its time is up.

import Testing

@testable import PannierCore

@Test(arguments: [SharedRecord.Kind.filled, .set, .delete])
func anEndThatIsToldBeforeTheAnswerToAClaimIsNotWaitedFor(kind: SharedRecord.Kind) throws {
  for reply in [SharedClaimReply.elsewhere(leftMilliseconds: 5000), .paused(.failed, leftMilliseconds: 5000)] {
    let host = FleetHost()
    let claimant = host.claim()
    let asked = try host.asked()
    let waiter = try host.wait()
    host.cache.sharedReplied(claim: asked.claim, reply, now: host.now)
    host.tell(kind)
    #expect(!host.hasWoken)
    host.cache.sharedReplied(flight: asked.flight, .nothing, now: host.now)
    #expect(host.woken().map(\.ticket) == [claimant, waiter])
    #expect(isClaim(host.get()))
  }
}

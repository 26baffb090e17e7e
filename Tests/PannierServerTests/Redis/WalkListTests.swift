// Which namespaces are walked through and when, without any Redis.

import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct WalkListTests {
  private let q = Array("q".utf8)
  private let other = Array("other".utf8)
  private let start = Array("0".utf8)

  @Test func clearsBeforeAWalkBeginsShareIt() {
    var list = WalkList()
    for ns in [q, other, q, q] { list.add(ns) }
    #expect(list.count == 2)
    #expect(list.next() == WalkList.Place(ns: q))
    list.advance(to: start, scanned: 3)
    #expect(list.next() == WalkList.Place(ns: other))
    list.advance(to: start, scanned: 4)
    #expect(list.next() == nil)
    #expect((list.count, list.scanned) == (0, 7))
  }

  @Test func aClearDuringAWalkHasItDoneAgainAfterTheOthers() {
    var list = WalkList()
    list.add(q)
    list.add(other)
    #expect(list.next()?.ns == q)
    list.add(q)
    list.advance(to: [7], scanned: 1)
    list.add(q)
    #expect(list.next() == WalkList.Place(ns: q, cursor: [7]))
    var walked: [[UInt8]] = []
    while let place = list.next() {
      walked.append(place.ns)
      list.advance(to: start, scanned: 0)
    }
    #expect(walked == [q, other, q])
  }

  @Test func anotherConnectionGoesOnAndAnotherLogBeginsAnew() {
    var list = WalkList()
    list.joined(1)
    list.add(q)
    _ = list.next()
    list.advance(to: [7], scanned: 1)
    list.joined(1)
    #expect(list.next()?.cursor == [7])
    list.joined(2)
    #expect(list.next()?.cursor == start)
  }
}

// Changes keep their places, whichever is ready first.

import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct ChangeLineTests {
  private final class Sent { var names: [Int] = [] }

  private let sent = Sent()

  private func fill(_ line: inout ChangeLine, _ place: ChangeLine.Place, _ name: Int) {
    line.fill(place) { [sent] in sent.names.append(name) }
    while let send = line.takeNext() { send() }
  }

  @Test func whatIsReadyIsSentAtOnce() {
    var line = ChangeLine()
    for name in 1...3 {
      fill(&line, line.hold(), name)
      #expect(sent.names == Array(1...name))
    }
  }

  @Test func oneThatIsNotReadyHoldsBackThoseBehindIt() {
    var line = ChangeLine()
    fill(&line, line.hold(), 1)
    let second = line.hold()
    fill(&line, line.hold(), 3)
    let fourth = line.hold()
    fill(&line, line.hold(), 5)
    fill(&line, fourth, 4)
    #expect(sent.names == [1])
    fill(&line, second, 2)
    #expect(sent.names == [1, 2, 3, 4, 5])
  }

  @Test func whatIsStoredIsKnownUntilItIsSent() {
    var line = ChangeLine()
    let name: [UInt8] = [1]
    let places = [line.hold([2]), line.hold(name), line.hold(name)]
    for place in places.dropFirst() { fill(&line, place, 0) }
    #expect(line.concerns(name) && line.concerns([2]) && !line.concerns([3]))
    fill(&line, places[0], 0)
    #expect(!line.concerns(name) && !line.concerns([2]))
    _ = line.hold(name)
    line.clear()
    #expect(!line.concerns(name))
  }

  @Test func whatIsClearedIsNeverSent() {
    var line = ChangeLine()
    let first = line.hold()
    fill(&line, line.hold(), 2)
    line.clear()
    fill(&line, first, 1)
    fill(&line, line.hold(), 3)
    #expect(sent.names == [3])
  }
}

// The tier that hosts share, under random schedules.

import Testing

@testable import PannierCore

@Test(arguments: 0..<2) func hostsKeepTheirPromises(part: Int) throws {
  let count = 5000
  var shown = 0
  for number in 0..<count {
    let seed = UInt64(part * count + number)
    do throws(PromiseBroken) {
      let world = World(seed: seed, Trace(isOn: false))
      try world.run()
      shown += world.shown
    } catch {
      let trace = Trace(isOn: true)
      try? World(seed: seed, trace).run()
      Issue.record("seed \(seed): \(error.what)\n\(trace.lines.joined(separator: "\n"))")
      return
    }
  }
  #expect(shown > count)
}

// The tier that hosts share, under many schedules, each from its own seed. One that breaks a promise is named by its seed, and is
// replayed alone with PANNIER_SIMULATION_SEED=… make simulate.

import Foundation
import Testing

@testable import PannierCore

private let environment = ProcessInfo.processInfo.environment
private let replayedSeed = environment["PANNIER_SIMULATION_SEED"].flatMap { UInt64($0) }
private let schedules = environment["PANNIER_SHARED_SCHEDULES"].flatMap { Int($0) } ?? 10_000
/// Parts run side by side.
private let parts = 2

@Test(arguments: 0..<parts) func hostsKeepTheirPromises(part: Int) {
  if replayedSeed != nil { return }
  var broken = 0
  var shown = 0
  for number in 0..<schedules / parts {
    let seed = UInt64(part * (schedules / parts) + number)
    let world = World(seed: seed, Trace(isOn: false))
    do throws(PromiseBroken) { try world.run() } catch {
      Issue.record("\(error.what); replay it with PANNIER_SIMULATION_SEED=\(seed) make simulate")
      broken += 1
      // More of them say nothing new.
      if broken == 5 { return }
    }
    shown += world.shown
  }
  #expect(shown > 5 * schedules / parts, "what is not shown can't be wrong")
}

@Test(.enabled(if: replayedSeed != nil)) func oneScheduleOfHostsIsReplayed() {
  guard let replayedSeed else { return }
  let trace = Trace(isOn: true)
  do throws(PromiseBroken) { try World(seed: replayedSeed, trace).run() } catch { Issue.record("\(error.what)") }
  print(trace.lines.joined(separator: "\n"))
}

// Many schedules of the simulation, each from its own seed. One that breaks a rule is named by its seed, and is replayed alone
// with PANNIER_SIMULATION_SEED=… make simulate.

import Foundation
import Testing

@testable import PannierCore

private let environment = ProcessInfo.processInfo.environment
private let replayedSeed = environment["PANNIER_SIMULATION_SEED"].flatMap { UInt64($0) }
private let schedules = environment["PANNIER_SCHEDULES"].flatMap { Int($0) } ?? 100_000
/// Parts run side by side.
private let parts = 2

@Test(arguments: 0..<parts) func leasesKeepTheirRules(part: Int) {
  if replayedSeed != nil { return }
  var broken = 0
  for number in 0..<schedules / parts {
    let seed = UInt64(part * (schedules / parts) + number)
    guard let rule = outcome(seed).broken else { continue }
    Issue.record("\(rule); replay it with PANNIER_SIMULATION_SEED=\(seed) make simulate")
    broken += 1
    // More of them say nothing new.
    if broken == 5 { return }
  }
}

@Test(.enabled(if: replayedSeed != nil)) func oneScheduleIsReplayed() {
  guard let replayedSeed else { return }
  let (broken, trace) = outcome(replayedSeed, traces: true)
  print(trace.joined(separator: "\n"))
  if let broken { Issue.record("\(broken)") }
}

/// The same seed, the same schedule: or no failure could be replayed.
@Test func schedulesFollowFromTheirSeeds() {
  #expect(outcome(7, traces: true).trace == outcome(7, traces: true).trace)
  #expect(outcome(7, traces: true).trace != outcome(8, traces: true).trace)
}

private func outcome(_ seed: UInt64, traces: Bool = false) -> (broken: String?, trace: [String]) {
  let trace = Trace(isOn: traces)
  do throws(RuleBroken) {
    var simulation = try LoadSimulation(seed: seed, trace)
    try simulation.run()
    return (nil, trace.lines)
  } catch {
    return (error.rule, trace.lines)
  }
}

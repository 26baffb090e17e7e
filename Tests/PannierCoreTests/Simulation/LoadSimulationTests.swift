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
  var met = Met()
  for number in 0..<schedules / parts {
    let seed = UInt64(part * (schedules / parts) + number)
    do throws(RuleBroken) { met.add(try outcome(seed, Trace(isOn: false))) } catch {
      Issue.record("\(error.rule); replay it with PANNIER_SIMULATION_SEED=\(seed) make simulate")
      broken += 1
      // More of them say nothing new.
      if broken == 5 { return }
    }
  }
  // They did what they are for.
  #expect(met.rarest >= schedules / parts / 20, "\(met)")
}

/// How often what can become of leases and waits did.
private struct Met {
  var counts: [String: Int] = [:]

  var rarest: Int { counts.values.min() ?? 0 }

  mutating func add(_ counters: [Counters]) {
    for counters in counters {
      let leases = counters.leases
      for (name, count) in [
        ("filled", leases.filled), ("lost", leases.lost), ("released", leases.released), ("failed", leases.failed),
        ("passed", leases.passed), ("timed out", leases.timedOut), ("revoked", leases.revoked),
        ("handed over", leases.handedOver), ("waits", counters.waits.count), ("refreshes", counters.refreshes),
        ("stale hits", counters.staleHits), ("cleared", counters.cleared),
      ] { counts[name, default: 0] += count }
    }
  }
}

/// Of PANNIER_SIMULATION_SEED, and then all of it is shown.
@Test func oneScheduleIsReplayed() {
  let trace = Trace(isOn: true)
  do throws(RuleBroken) { _ = try outcome(replayedSeed ?? 7, trace) } catch { Issue.record("\(error.rule)") }
  #expect(!trace.lines.isEmpty)
  if replayedSeed != nil { print(trace.lines.joined(separator: "\n")) }
}

/// The same seed, the same schedule: or no failure could be replayed.
@Test func schedulesFollowFromTheirSeeds() throws {
  let traces = [7, 7, 8].map { _ in Trace(isOn: true) }
  for (seed, trace) in zip([7, 7, 8] as [UInt64], traces) { _ = try outcome(seed, trace) }
  #expect(traces[0].lines == traces[1].lines)
  #expect(traces[0].lines != traces[2].lines)
}

private func outcome(_ seed: UInt64, _ trace: Trace) throws(RuleBroken) -> [Counters] {
  var simulation = try LoadSimulation(seed: seed, trace)
  return try simulation.run()
}

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
  let share = schedules / parts
  var broken = 0
  var counts = WorldCounts()
  for seed in UInt64(part * share)..<UInt64((part + 1) * share) {
    var world = World(seed: seed, Trace(isOn: false))
    do throws(PromiseBroken) { try world.run() } catch {
      Issue.record("\(error.what); replay it with PANNIER_SIMULATION_SEED=\(seed) make simulate")
      broken += 1
      // More of them say nothing new.
      if broken == 5 { return }
    }
    counts += world.counts
  }
  expectEnough(counts, of: share)
}

/// What hasn't happened can't have gone wrong: of each thing that a rule is about there is so much in a hundred schedules, or more.
private func expectEnough(_ counts: WorldCounts, of schedules: Int) {
  let floors: [(name: String, count: Int, inHundred: Int)] = [
    ("values shown", counts.shown, 400), ("values promoted", counts.promoted, 150),
    ("values found void", counts.voids, 25), ("reads that a change overtook", counts.covered, 12),
    ("gaps", counts.gaps, 40), ("timeouts", counts.timeouts, 25),
    ("changes sent from a queue", counts.replayed, 60), ("sets among them", counts.replayedSets, 1),
    ("conflicts", counts.conflicts, 2), ("changes refused", counts.refused, 2),
    ("fills refused", counts.refusedFills, 20), ("leases lost", counts.lostLeases, 80),
    ("conditional sets", counts.conditional, 6), ("loads claimed", counts.claims, 60),
    ("loads that another host had", counts.claimsElsewhere, 6), ("sets behind", counts.behindSent, 60),
    ("sent again", counts.behindConflicts, 2), ("waits for room", counts.waited, 2),
    ("times that all leases were over", counts.rests, 100), ("loads without a claim", counts.loadsAlone, 10),
    ("readers told of a pause", counts.pauses, 1),
  ]
  // Of fewer, chance says more.
  if schedules < 1000 { return }
  for (name, count, floor) in floors {
    #expect(count >= schedules * floor / 100, "\(name): \(count) in \(schedules) schedules")
  }
}

/// Of PANNIER_SIMULATION_SEED, and then all of it is shown.
@Test func oneScheduleOfHostsIsReplayed() {
  let trace = Trace(isOn: true)
  var world = World(seed: replayedSeed ?? 7, trace)
  do throws(PromiseBroken) { try world.run() } catch { Issue.record("\(error.what)") }
  #expect(!trace.lines.isEmpty)
  if replayedSeed != nil { print(trace.lines.joined(separator: "\n")) }
}

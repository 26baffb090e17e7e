// What a strategy is short for. It says nothing of its own: where a field that it stands for is written too, that holds.

import PannierCore

enum PolicyStrategy: String, CaseIterable, Sendable {
  case cacheAside = "cache_aside"
  case writeThrough = "write_through"
  case writeBehind = "write_behind"
  case refreshAhead = "refresh_ahead"

  /// As a policy's field.
  static let name = "strategy"

  /// The names of the fields that it stands for.
  var fields: [String] { self == .refreshAhead ? ["write", "refresh_ahead"] : ["write"] }

  func write(to policy: inout Policy) {
    policy.write =
      switch self {
      case .cacheAside, .refreshAhead: .aside
      case .writeThrough: .through
      case .writeBehind: .behind
      }
    if self == .refreshAhead { policy.lifetimes.refreshAhead = 0.8 }
  }
}

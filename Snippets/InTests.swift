// A service's test, without a sidecar.
// snippet.hide
import PannierClient
import PannierTesting

struct Unexpected: Error {}

// snippet.show
func expiredValuesAreLoadedAnew() async throws {
  let fake = try FakePannier(configuration: "namespaces: {prices: {ttl: 1m}}\ndefaults: {jitter: 0}")
  let prices = fake.client.namespace("prices", of: Int.self)
  _ = try await prices.value(for: "tea") { 250 }
  try await fake.advance(by: .seconds(61))
  guard try await prices.value(for: "tea", load: { 260 }) == 260 else { throw Unexpected() }

  // As if it had been killed.
  try await fake.down {
    guard try await prices.value(for: "tea", load: { 270 }) == 270 else { throw Unexpected() }
  }
}

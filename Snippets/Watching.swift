// What happens in the cache, and what it has done.
// snippet.hide
import PannierClient

// snippet.show
let pannier = PannierClient()

func tellOfLoadsThatTookLong() async throws {
  for try await event in pannier.watch(namespace: "prices", kinds: [.fill, .release]) {
    print(event.kind, event.key?.text ?? "", event.json)
  }
}

func hitRate(of namespace: String) async throws -> Double? {
  try await pannier.statistics()[namespace]?.hitRate
}

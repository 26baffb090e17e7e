import PannierWire
import Testing

@Test(
  arguments: [
    ("tll", "ttl"), ("ttl", "ttl"), ("tt", "ttl"), ("max_tll", "max_ttl"), ("memroy", "memory"), ("stael", "stale"),
    ("stales", "stale"), ("memxyz", nil), ("x", nil), ("", nil), ("jk", nil), ("nz", "ns"), ("ttlttl", nil),
  ] as [(String, String?)])
func nearestNameIsFound(name: String, expected: String?) {
  #expect(nearestName(to: name, among: ["ns", "ttl", "max_ttl", "memory", "stale"]) == expected)
}

@Test func ofEquallyNearNamesTheFirstIsFound() {
  #expect(nearestName(to: "keyz", among: ["keys", "key"]) == "keys")
  #expect(nearestName(to: "keyz", among: ["key", "keys"]) == "key")
}

/// Swift's own comparison takes both spellings of é for the same.
@Test func namesAreComparedAsBytes() {
  #expect(nearestName(to: "é", among: ["e\u{301}"]) == nil)
}

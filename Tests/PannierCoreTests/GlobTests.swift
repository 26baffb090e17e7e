import PannierCore
import Testing

/// Patterns, keys, and whether they fit.
@Test(arguments: [
  ("", "", true), ("", "a", false), ("*", "", true), ("*", "abc", true), ("a*", "abc", true), ("a*", "bac", false),
  ("*c", "abc", true), ("*c", "abcd", false), ("a*b*c", "a1b2c", true), ("a*b*c", "acb", false),
  ("?", "a", true), ("?", "", false), ("?", "é", true), ("??", "é", false), ("a?c", "abc", true),
  ("[abc]", "b", true), ("[abc]", "d", false), ("[a-z]x", "qx", true), ("[!a-z]", "q", false), ("[!a-z]", "Q", true),
  ("[]]", "]", true), ("[a-]", "-", true), ("[\\]]", "]", true), ("[à-é]", "è", true),
  ("\\*", "*", true), ("\\*", "a", false), ("user:*:profile", "user:42:profile", true),
  ("user:*:profile", "user:42:settings", false), ("*aaaaab", "aaaaaaaaab", true), ("**", "x", true),
])
func globFits(pattern: String, key: String, expected: Bool) throws {
  let glob = try #require(Glob(pattern.utf8))
  var key = key
  #expect(key.withUTF8 { glob.matches(UnsafeRawBufferPointer($0)) } == expected)
}

@Test(arguments: ["[", "[a", "[]", "a\\", "[z-a]", "[!"])
func globRefuses(pattern: String) {
  #expect(Glob(pattern.utf8) == nil)
}

@Test func globsAreBoundedInLength() {
  #expect(Glob(Array(repeating: UInt8(ascii: "a"), count: Glob.maximumBytes)) != nil)
  #expect(Glob(Array(repeating: UInt8(ascii: "a"), count: Glob.maximumBytes + 1)) == nil)
}

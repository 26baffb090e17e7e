// Who loads a value, and for how long it is kept.
// snippet.hide
import PannierClient

struct User: Codable, Sendable {
  var id: Int
  var name: String
}

struct Database: Sendable {
  func user(_ id: Int) async throws -> User { User(id: id, name: "Ann") }
  func users(_ ids: [Int]) async throws -> [User] { ids.map { User(id: $0, name: "Ann") } }
  func rename(_ id: Int, to name: String) async throws {}
}

let database = Database()
// snippet.show
let pannier = PannierClient()
let users = pannier.namespace("users", of: User.self)

/// One load for all of the host, however many ask meanwhile.
func user(_ id: Int) async throws -> User {
  try await users.value(for: "user:\(id)", ttl: .minutes(10), tags: ["team:7"]) {
    try await database.user(id)
  }
}

/// Many keys, and one query for those that aren't there.
func team(_ ids: [Int]) async throws -> [User] {
  let keys = ids.map { CacheKey("user:\($0)") }
  let found = try await users.values(for: keys) { missing in
    let wanted = ids.filter { missing.contains("user:\($0)") }
    return Dictionary(try await database.users(wanted).map { ("user:\($0.id)", $0) }) { $1 }
  }
  return keys.compactMap { found[$0] }
}

/// Whoever asks after this has returned sees nothing older.
func rename(_ id: Int, to name: String) async throws {
  try await database.rename(id, to: name)
  try await users.delete("user:\(id)")
}

/// All that bears a tag, and all that a pattern fits.
func forgetTeam(_ team: Int) async throws {
  try await users.clear(tags: ["team:\(team)"])
  try await users.clear(matching: "team:\(team):*")
}

// Times the Swift client on a sidecar that is there: a line of figures each, for who judges them. Usage: bench SOCKET.

import Foundation
import Logging
import NIOCore
import NIOPosix
import PannierClient

struct User: Codable, Sendable {
  var id: Int
  var name: String
  var email: String
  var tags: [String]
  var score: Double
}

let rounds = 41
let requests = 500
let keys = 64

/// Nanoseconds for each of `requests` runs of `body`, in one go.
func timed(_ body: (Int) async throws -> Void) async rethrows -> Double {
  let began = ContinuousClock.now
  for number in 0..<requests { try await body(number) }
  let took = began.duration(to: .now).components
  return (Double(took.seconds) * 1e9 + Double(took.attoseconds) / 1e9) / Double(requests)
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

let path = CommandLine.arguments[1]
var configuration = PannierConfiguration(socketPath: path)
configuration.requestTimeout = .seconds(10)
let one = MultiThreadedEventLoopGroup(numberOfThreads: 1)
let client = PannierClient(configuration: configuration, eventLoopGroup: one, logger: Logger(label: "bench"))
let users = client.namespace("bench", of: User.self)
let raw = client.namespace("bench", of: RawJSON.self)
let user = User(id: 7, name: "Zoë Doe", email: "zoe@example.org", tags: ["a", "b"], score: 12.5)
for number in 0..<keys { try await users.set("user:\(number)", to: user, ttl: .hours(1)) }

let bare = try await BareRoundTrip(path: path, on: one.next())
let lines = (0..<keys).map { ByteBuffer(string: #"{"op":"get","ns":"bench","key":"user:\#($0)"}"# + "\n") }
let names = (0..<keys).map { CacheKey("user:\($0)") }
let bytes = try JSONEncoder().encode(user)

// In turns: a machine that grows slow is so for all.
var times: (bare: [Double], raw: [Double], typed: [Double], decoder: [Double]) = ([], [], [], [])
for _ in 0..<rounds {
  times.bare.append(try await timed { _ = try await bare.ask(lines[$0 % keys]) })
  times.raw.append(
    try await timed { number in
      guard try await raw.get(names[number % keys]) != nil else { fatalError("a miss") }
    })
  times.typed.append(
    try await timed { number in
      guard try await users.get(names[number % keys]) != nil else { fatalError("a miss") }
    })
  times.decoder.append(await timed { _ in _ = try? JSONDecoder().decode(User.self, from: bytes) })
}
print("bare", median(times.bare))
print("raw", median(times.raw))
print("typed", median(times.typed))
print("decoder", median(times.decoder))

// Many tasks, as many loops as there are processors.
let crowd = PannierClient(configuration: configuration, logger: Logger(label: "bench"))
let crowdRaw = crowd.namespace("bench", of: RawJSON.self)
let crowdUsers = crowd.namespace("bench", of: User.self)
let tasks = 64
let each = 4000

func rate(_ body: @escaping @Sendable (Int) async throws -> Void) async throws -> Double {
  var rates: [Double] = []
  for _ in 0..<5 {
    let began = ContinuousClock.now
    try await withThrowingTaskGroup(of: Void.self) { group in
      for task in 0..<tasks { group.addTask { for turn in 0..<each { try await body(task + turn) } } }
      try await group.waitForAll()
    }
    let took = began.duration(to: .now).components
    rates.append(Double(tasks * each) / (Double(took.seconds) + Double(took.attoseconds) / 1e18))
  }
  return median(rates)
}

if CommandLine.arguments.count > 2 {
  print("raw64", try await rate { _ = try await crowdRaw.get(names[$0 % keys]) })
  print("typed64", try await rate { _ = try await crowdUsers.get(names[$0 % keys]) })
}
client.close()
crowd.close()
try await one.shutdownGracefully()

// What every connection does before anything else: asks which Redis this is, loads the scripts, joins the log.

import PannierCore
import PannierDispatch
import PannierWire

struct RedisHandshake {
  struct Joined {
    let incarnation: UInt64
    let base: UInt64
    let number: UInt64
  }

  struct Failure: Error { let reason: String }

  private let connection: RedisConnection
  private let writer: RedisWriter
  private let number: UInt64?
  private let known: UInt64

  init(
    _ connection: RedisConnection, _ writer: RedisWriter, isCommandConnection: Bool, _ number: UInt64, known: UInt64
  ) {
    self.connection = connection
    self.writer = writer
    self.number = isCommandConnection ? number : nil
    self.known = known
  }

  /// `done` is called once, unless the connection ends before.
  func run(_ done: @escaping (Result<Joined, Failure>) -> Void) {
    var failure: Failure?
    connection.send([Array("INFO".utf8)]) { reply in
      switch reply {
      case .bytes(let text): failure = writer.identify(text)
      case .error(let error): failure = Failure(reason: "INFO was answered with \(error)")
      default: failure = Failure(reason: "INFO was not answered with text")
      }
    }
    for script in RedisScript.all {
      connection.send([Array("SCRIPT".utf8), Array("LOAD".utf8), Array(script.text.utf8)]) { reply in
        switch reply {
        case .bytes(let digest): writer.loaded(script, digest)
        case .error(let error): failure = failure ?? Failure(reason: "SCRIPT LOAD was answered with \(error)")
        default: break
        }
        guard script.name == RedisScript.all.last?.name else { return }
        if let failure { done(.failure(failure)) } else { join(done) }
      }
    }
  }

  private func join(_ done: @escaping (Result<Joined, Failure>) -> Void) {
    guard let arguments = writer.join(known: known, namespaces: [], connection: number) else {
      return done(.failure(Failure(reason: "its scripts could not be loaded")))
    }
    connection.send(arguments) { reply in
      if reply == .lost { return }
      if case .error(let error) = reply { return done(.failure(Failure(reason: "joining was answered with \(error)"))) }
      guard let joined = RedisReader.joined(reply) else {
        return done(.failure(Failure(reason: "joining was answered with something else")))
      }
      done(.success(Joined(incarnation: joined.incarnation, base: joined.base, number: joined.number)))
    }
  }
}

// A real sidecar as a child process, for tests: on a socket of its own, ended by its process id.

import Foundation
import NIOConcurrencyHelpers

final class Sidecar: Sendable {
  struct NotServing: Error { let said: String }

  let socketPath: String
  private let folder: String
  private let arguments: [String]
  private let process = NIOLockedValueBox<Process?>(nil)

  /// `configuration`: YAML. Its time stands still unless `hasRealTime`.
  init(_ configuration: String = "defaults: {jitter: 0}", hasRealTime: Bool = false) throws {
    folder = NSTemporaryDirectory() + "pannier-client-\(UUID().uuidString.prefix(8))"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    socketPath = folder + "/pannier.sock"
    let file = folder + "/pannier.yaml"
    try configuration.write(toFile: file, atomically: false, encoding: .utf8)
    arguments = ["serve", "--socket", socketPath, "--config", file] + (hasRealTime ? [] : ["--test-clock"])
    try start()
  }

  deinit {
    kill()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Returns when it serves.
  func start() throws {
    let log = Pipe()
    let started = Process()
    started.executableURL = Self.binary
    started.arguments = arguments
    started.standardError = log
    try started.run()
    process.withLockedValue { $0 = started }
    var said = ""
    while !said.contains("msg=serving") {
      let more = log.fileHandleForReading.availableData
      guard !more.isEmpty else { throw NotServing(said: said) }
      said += String(decoding: more, as: UTF8.self)
    }
    // Nobody reads the rest: it goes where it can't be in the way.
    log.fileHandleForReading.readabilityHandler = { if $0.availableData.isEmpty { $0.readabilityHandler = nil } }
  }

  /// As `kill -9` does; returns when it is no more.
  func kill() {
    guard let running = process.withLockedValue({ $0.take() }) else { return }
    Foundation.kill(running.processIdentifier, SIGKILL)
    running.waitUntilExit()
  }

  /// It hangs from now on.
  func suspend() { signal(SIGSTOP) }

  func resume() { signal(SIGCONT) }

  private func signal(_ number: Int32) {
    if let running = process.withLockedValue({ $0 }) { Foundation.kill(running.processIdentifier, number) }
  }

  /// Beside the tests' own, where the build has put it.
  private static var binary: URL {
    if let named = ProcessInfo.processInfo.environment["PANNIER_BIN"] { return URL(filePath: named) }
    return URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent().appending(path: "pannier")
  }
}

// From what the command line was given to a server that runs: configuration, log, server. It knows no argument syntax.

import CUV
import Logging
package import PannierDispatch

package enum Daemon {
  /// Serves until a signal ends it. `file` is the configuration's; `flags` are stronger than all else.
  package static func serve(file: String?, flags: [Configuration.Flag], testClock: Bool) throws(StartFault) {
    let (configuration, warnings) = try load(file: file, flags: flags)
    let log = logger(configuration.log)
    for warning in warnings { log.warning("\(warning)") }
    let server = Server(configuration, testClock: testClock, log: log) { () throws(ConfigurationFaults) in
      let (reloaded, warnings) = try Configuration.load(file: file, environment: environment(), flags: flags)
      for warning in warnings { log.warning("\(warning)") }
      return reloaded
    }
    do { try server.run() } catch { throw .socket(error) }
  }

  /// What starting with a configuration file would come to. Returns the warnings.
  package static func check(file: String) throws(ConfigurationFaults) -> [String] {
    try Configuration.check(file: file) { DirectoryEntry(at: $0)?.kindUnlessSocket?.rawValue }
  }

  /// Where a client of this process's environment finds the daemon.
  package static func socketPath(explicit: String?) -> String {
    Configuration.socketPath(explicit: explicit, environment: environment())
  }

  /// Why serving didn't begin.
  package enum StartFault: Error {
    case configuration(ConfigurationFaults)
    case socket(SocketFault)
  }

  private static func load(
    file: String?, flags: [Configuration.Flag]
  ) throws(StartFault) -> (Configuration, warnings: [String]) {
    do { return try Configuration.load(file: file, environment: environment(), flags: flags) } catch {
      throw .configuration(error)
    }
  }

  private static func logger(_ log: Configuration.Log) -> Logger {
    let format: LogFormat = log.format == .json ? .json : .logfmt
    let level = Logger.Level(rawValue: log.level.rawValue) ?? .info
    return Logger(label: "pannier") { _ in LineLogHandler(format: format, level: level) }
  }

  /// The process's variables; what is not UTF-8 is no setting of ours.
  private static func environment() -> [String: String] {
    var items: UnsafeMutablePointer<uv_env_item_t>?
    var count: Int32 = 0
    guard uv_os_environ(&items, &count) == 0, let items else { return [:] }
    defer { uv_os_free_environ(items, count) }
    var variables: [String: String] = [:]
    for item in UnsafeBufferPointer(start: items, count: Int(count)) {
      if let name = String(validatingCString: item.name), let value = String(validatingCString: item.value) {
        variables[name] = value
      }
    }
    return variables
  }
}

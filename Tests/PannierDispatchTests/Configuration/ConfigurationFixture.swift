import Foundation
import PannierDispatch

/// A configuration file that exists while `body` runs.
func withFile<Result>(_ bytes: some Sequence<UInt8>, _ body: (String) throws -> Result) throws -> Result {
  let url = FileManager.default.temporaryDirectory.appending(path: "pannier-\(UUID().uuidString).yaml")
  try Data(bytes).write(to: url)
  defer { try? FileManager.default.removeItem(at: url) }
  return try body(url.path)
}

func load(
  _ yaml: String, environment: [String: String] = [:], flags: [Configuration.Flag] = []
) throws -> (Configuration, warnings: [String]) {
  try withFile(yaml.utf8) { try Configuration.load(file: $0, environment: environment, flags: flags) }
}

/// The faults, the file called `f` in them; none where the configuration is taken.
func faults(
  _ yaml: some Sequence<UInt8>, environment: [String: String] = [:], flags: [Configuration.Flag] = []
) throws -> [String] {
  try withFile(yaml) { path in
    do throws(ConfigurationFaults) {
      _ = try Configuration.load(file: path, environment: environment, flags: flags)
      return []
    } catch {
      return error.faults.map { $0.description.replacingOccurrences(of: path, with: "f") }
    }
  }
}

func faults(_ yaml: String, environment: [String: String] = [:], flags: [Configuration.Flag] = []) throws -> [String] {
  try faults(yaml.utf8, environment: environment, flags: flags)
}

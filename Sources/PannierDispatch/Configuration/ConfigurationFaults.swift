// What is wrong with a configuration: every fault with the place it stands in. It judges nothing itself.

/// Everything wrong that was found, printed one fault a line.
package struct ConfigurationFaults: Error, Equatable, CustomStringConvertible {
  package let faults: [ConfigurationFault]

  package var description: String { faults.map(\.description).joined(separator: "\n") }

  /// For an answer, which is one line: the first few and how many more there are.
  package var oneLine: String {
    // A message that lists more is read by nobody, and a request may have thousands.
    let shown = faults.prefix(10).map(\.description).joined(separator: "; ")
    return faults.count > 10 ? "\(shown); and \(faults.count - 10) more" : shown
  }
}

package struct ConfigurationFault: Equatable, Sendable, CustomStringConvertible {
  /// `pannier.yaml:7`, `PANNIER_MEMORY`, `--memory`; nil in a request, which is its own place.
  package let place: String?
  package let message: String

  package var description: String { place.map { "\($0): \(message)" } ?? message }
}

/// Gathers the faults of one source while it is read.
struct FaultList {
  /// A file, a variable or a flag, by the name its user knows; nil: a request.
  let source: String?
  /// Whether a line helps to find the fault: only in a file.
  let hasLines: Bool
  private var found: [(line: Int, fault: ConfigurationFault)] = []

  init(file: String) {
    source = file
    hasLines = true
  }

  init(name: String?) {
    source = name
    hasLines = false
  }

  var isEmpty: Bool { found.isEmpty }

  /// In the order of lines, since reading finds some kinds of fault before others, and each once: an alias has the line
  /// of its anchor.
  var faults: [ConfigurationFault] {
    let ordered = found.enumerated().sorted { ($0.element.line, $0.offset) < ($1.element.line, $1.offset) }
    return ordered.reduce(into: []) { if $0.last != $1.element.fault { $0.append($1.element.fault) } }
  }

  /// `path` is the field's, as far as the source's name doesn't say it already.
  mutating func add(_ message: String, path: String = "", line: Int? = nil) {
    let place = source.map { source in line.map { "\(source):\($0)" } ?? source }
    found.append((line ?? 0, ConfigurationFault(place: place, message: path.isEmpty ? message : "\(path): \(message)")))
  }
}

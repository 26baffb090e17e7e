// What a configuration says, before anything is known of its fields: texts, lists and mappings, each with its line.

import PannierWire

struct SettingNode {
  /// Nil where the text is a variable's, a flag's or a request's.
  let line: Int?
  let content: Content

  enum Content {
    /// Nothing written, or `null`.
    case none
    case text(String)
    case list([SettingNode])
    /// In the order written, no name twice.
    case mapping([Entry])
    /// Its fault has been named already.
    case refused
  }

  struct Entry {
    let name: String
    let line: Int?
    let value: SettingNode
  }

  init(_ content: Content, line: Int? = nil) {
    self.content = content
    self.line = line
  }

  /// For "expected …, found …".
  var description: String {
    switch content {
    case .none: "nothing"
    case .text(let text): quoted(text)
    case .list: "a list"
    case .mapping: "a mapping"
    case .refused: "what was refused"
    }
  }
}

/// `path` and then `name`, as messages spell it: `limits.items`.
func joined(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

extension SettingNode {
  /// Says that another kind of node was expected, unless the node's own fault has been named.
  func addRefusal(expected: String, path: String, faults: inout FaultList) {
    if case .refused = content { return }
    faults.add("expected \(expected), found \(description)", path: path, line: line)
  }

  /// Visits each field whose name is one of `names`; any other is a fault that names the nearest. Nothing written, as where
  /// every line below a name is a comment, is no field.
  func forEachField(
    of names: [String], path: String, faults: inout FaultList, visit: (Entry, inout FaultList) -> Void
  ) {
    switch content {
    case .none, .refused: break
    case .mapping(let entries):
      for entry in entries {
        if names.contains(where: { $0.utf8.elementsEqual(entry.name.utf8) }) {
          visit(entry, &faults)
        } else {
          faults.add(unknownField(entry.name, among: names), path: path, line: entry.line)
        }
      }
    case .text, .list:
      addRefusal(expected: "the fields \(names.joined(separator: ", "))", path: path, faults: &faults)
    }
  }
}

private func unknownField(_ name: String, among known: [String]) -> String {
  let unknown = "unknown field \(quoted(name))"
  if let nearest = nearestName(to: name, among: known) { return "\(unknown), did you mean \"\(nearest)\"?" }
  return "\(unknown); known are \(known.joined(separator: ", "))"
}

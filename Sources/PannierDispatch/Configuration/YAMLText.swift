// Turns YAML text into nodes, or into the faults that keep it from being read. It knows no field.

import Yams

enum YAMLText {
  /// Nil where `text` is not readable as YAML; `faults` then says why. An empty document is `.none`.
  static func node(_ text: String, faults: inout FaultList) -> SettingNode? {
    var text = text
    // Yams stops at the first mapping with a name given twice, and says where the name stood first. In a file that one is
    // marked and the text read again, so that the others and every other fault are found too.
    for marking in 0..<mostMarkings {
      do {
        // Which texts are numbers is for the settings to say; resolving none also spares a dozen patterns a name.
        let parser = try Parser(yaml: text, resolver: .basic)
        guard let root = try parser.singleRoot() else { return SettingNode(.none) }
        // Nodes hold their anchors weakly: only while the parser lives can they be seen.
        return withExtendedLifetime(parser) { convert(root, &faults) }
      } catch YamlError.duplicatedKeysInMapping(let names, let context) {
        guard faults.hasLines, let marked = mark(text, at: context.mark, marking) else {
          for name in names {
            add("\(quoted(withoutMark(name))) stands twice in one mapping", context.mark.line, &faults)
          }
          return nil
        }
        text = marked
      } catch {
        addSyntaxFault(error, &faults)
        return nil
      }
    }
    faults.add("too many names stand twice")
    return nil
  }

  /// Each reading again takes the whole text's time.
  private static let mostMarkings = 64
  /// Private-use characters, so that no name anybody writes looks marked.
  private static let markOpens: Unicode.Scalar = "\u{E001}"
  private static let markCloses: Unicode.Scalar = "\u{E002}"

  private static func convert(_ node: Node, _ faults: inout FaultList) -> SettingNode {
    let line = line(node.mark?.line, faults)
    // An alias is the node it stands for, anchor and all, so this also ends the growth of aliases of aliases.
    if node.anchor != nil {
      faults.add("anchors and aliases (&name, *name) are not taken; write the value out", line: line)
      return SettingNode(.refused, line: line)
    }
    switch node {
    case .scalar(let scalar): return SettingNode(content(scalar), line: line)
    case .sequence(let sequence): return SettingNode(.list(sequence.map { convert($0, &faults) }), line: line)
    case .mapping(let mapping): return SettingNode(.mapping(entries(mapping, &faults)), line: line)
    case .alias: return SettingNode(.refused, line: line)
    }
  }

  private static func content(_ scalar: Node.Scalar) -> SettingNode.Content {
    let isPlain = scalar.style == .plain || scalar.style == .any
    return isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string) ? .none : .text(scalar.string)
  }

  private static func entries(_ mapping: Node.Mapping, _ faults: inout FaultList) -> [SettingNode.Entry] {
    var entries: [SettingNode.Entry] = []
    var firstLines: [[UInt8]: Int?] = [:]
    for (key, value) in mapping {
      let line = line(key.mark?.line, faults)
      let keyNode = convert(key, &faults)
      guard case .scalar(let scalar) = key, key.anchor == nil else {
        keyNode.addRefusal(expected: "a name", path: "", faults: &faults)
        continue
      }
      let name = withoutMark(scalar.string)
      if let firstLine = firstLines.updateValue(line, forKey: Array(name.utf8)) {
        let first = firstLine.map { ", first in line \($0)" } ?? ""
        faults.add("\(quoted(name)) stands twice in one mapping\(first)", line: line)
        continue
      }
      entries.append(SettingNode.Entry(name: name, line: line, value: convert(value, &faults)))
    }
    return entries
  }

  /// Puts a mark into the name that begins at `position`; nil where no plain or quoted name begins there.
  private static func mark(_ text: String, at position: Mark, _ number: Int) -> String? {
    var scalars = text.unicodeScalars
    var index = scalars.startIndex
    var line = 1
    while line < position.line, index < scalars.endIndex {
      let scalar = scalars[index]
      scalars.formIndex(after: &index)
      let isFirstOfTwo = scalar == "\r" && index < scalars.endIndex && scalars[index] == "\n"
      if ["\n", "\r", "\u{85}", "\u{2028}", "\u{2029}"].contains(scalar), !isFirstOfTwo { line += 1 }
    }
    guard var target = scalars.index(index, offsetBy: position.column - 1, limitedBy: scalars.endIndex),
      target < scalars.endIndex
    else { return nil }
    switch scalars[target] {
    case "\"", "'": scalars.formIndex(after: &target)
    case "?", "[", "{", "&", "*", "!", "|", ">": return nil
    default: break
    }
    scalars.insert(contentsOf: "\(markOpens)\(number)\(markCloses)".unicodeScalars, at: target)
    return String(scalars)
  }

  private static func withoutMark(_ name: String) -> String {
    guard name.unicodeScalars.first == markOpens, let end = name.unicodeScalars.firstIndex(of: markCloses) else {
      return name
    }
    return withoutMark(String(name.unicodeScalars[end...].dropFirst()))
  }

  private static func addSyntaxFault(_ error: any Error, _ faults: inout FaultList) {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, let yaml),
      YamlError.parser(let context, let problem, let mark, let yaml),
      YamlError.composer(let context, let problem, let mark, let yaml):
      let isDocument = problem.contains("another document")
      let begun = context.map { isDocument ? "" : " (\($0.text), line \($0.mark.line))" } ?? ""
      let message = isDocument ? "a second document begins here; one is taken" : "not YAML: \(problem)\(begun)"
      add(message + hint(problem, mark, yaml), mark.line, &faults)
    case YamlError.reader(let problem, let offset, _, let yaml):
      let line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 }
      faults.add("not YAML: \(problem)", line: line)
    default: faults.add("not YAML: \(error)")
    }
  }

  /// What YAML's own words for a fault don't say, for the two that people make most.
  private static func hint(_ problem: String, _ mark: Mark, _ yaml: String) -> String {
    if problem.contains("undefined alias") { return "; put a text that begins with * in quotes" }
    let lines = yaml.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
    if lines.indices.contains(mark.line - 1), lines[mark.line - 1].prefix(while: \.isWhitespace).contains("\t") {
      return "; indent with spaces, not tabs"
    }
    return ""
  }

  private static func add(_ message: String, _ line: Int, _ faults: inout FaultList) {
    faults.add(message, line: Self.line(line, faults))
  }

  /// A variable, a flag and a request are one line: no number helps.
  private static func line(_ line: Int?, _ faults: FaultList) -> Int? { faults.hasLines ? line : nil }
}

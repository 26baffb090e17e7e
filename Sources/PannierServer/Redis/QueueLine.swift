// A change that Redis was not told of, as a line of JSON, and a file of them. It opens no files.

import PannierCore
import PannierDispatch
import PannierWire

enum QueueLine {
  private static let format = "pannier-queue"
  private static let version = 1

  // MARK: Writing

  static func encode(_ changes: [LeftChange], into buffer: inout OutputBuffer) {
    buffer.append(UInt8(ascii: "{"))
    buffer.member("format", string: format)
    buffer.member("version", count: version)
    buffer.member("count", count: changes.count)
    buffer.endObject()
    buffer.append(UInt8(ascii: "\n"))
    for change in changes { encode(change, into: &buffer) }
  }

  /// As a request for the same would be.
  private static func encode(_ change: LeftChange, into buffer: inout OutputBuffer) {
    // A line begins without a comma.
    buffer.append(UInt8(ascii: "{"))
    if case .key = change.scope { buffer.member("op", string: "delete") } else { buffer.member("op", string: "clear") }
    text("ns", change.ns.isEmpty ? Array("*".utf8) : change.ns, &buffer)
    switch change.scope {
    case .key(let key): text("key", key, &buffer)
    case .all: break
    case .match(let pattern): text("match", pattern, &buffer)
    case .tags(let tags): withBorrowed(tags) { buffer.member("tags", strings: $0) }
    }
    if change.soft { buffer.member("soft", flag: true) }
    buffer.endObject()
    buffer.append(UInt8(ascii: "\n"))
  }

  private static func text(_ name: StaticString, _ bytes: [UInt8], _ buffer: inout OutputBuffer) {
    buffer.name(name)
    bytes.withUnsafeBytes { buffer.append(string: $0) }
  }

  // MARK: Reading

  static func decode(_ file: [UInt8]) throws(QueueFileFault) -> [LeftChange] {
    guard String(validating: file, as: UTF8.self) != nil else { throw QueueFileFault(reason: "it is not UTF-8") }
    guard file.last == UInt8(ascii: "\n") else { throw QueueFileFault(reason: "its last line is cut off") }
    let lines = file.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    let head = lines.first.flatMap { JSONValue($0) }
    guard let head, head["format"]?.string == format else { throw fault(1, "it is no queue's file") }
    guard head["version"]?.integer == version else { throw fault(1, "another version wrote it") }
    guard let count = head["count"]?.integer, count == lines.count - 1 else {
      throw fault(1, "it says another number of changes than there are, \(lines.count - 1)")
    }
    var changes: [LeftChange] = []
    for (index, line) in lines.enumerated().dropFirst() {
      guard let change = decode(line) else { throw fault(index + 1, "it is no change") }
      changes.append(change)
    }
    return changes
  }

  private static func fault(_ line: Int, _ what: String) -> QueueFileFault {
    QueueFileFault(reason: "line \(line): \(what)")
  }

  private static func decode(_ line: ArraySlice<UInt8>) -> LeftChange? {
    guard let value = JSONValue(line), let members = value.members, let name = value["ns"]?.string,
      Set(members.map(\.name)).count == members.count
    else { return nil }
    let isEverywhere = name == "*"
    guard isEverywhere || Configuration.isNamespaceName(name) else { return nil }
    let ns = isEverywhere ? [] : Array(name.utf8)
    let soft = value["soft"]?.bool ?? false
    var scopes: [LeftChange.Scope] = []
    for (name, value) in members {
      switch (name, value.string, value.elements) {
      case ("key", let key?, _) where !key.isEmpty: scopes.append(.key(Array(key.utf8)))
      case ("match", let pattern?, _) where Glob(pattern.utf8) != nil: scopes.append(.match(Array(pattern.utf8)))
      case ("tags", _, let tags?):
        let texts = tags.compactMap(\.string).map { Array($0.utf8) }
        guard !texts.isEmpty, texts.count == tags.count else { return nil }
        scopes.append(.tags(texts))
      case ("op", _?, _), ("ns", _?, _): break
      case ("soft", _, _) where value.bool != nil: break
      default: return nil
      }
    }
    switch (value["op"]?.string, scopes.first, scopes.count) {
    case ("delete", let scope?, 1):
      guard case .key = scope, !isEverywhere else { return nil }
      return LeftChange(ns: ns, scope: scope, soft: soft)
    case ("clear", let scope, 0...1):
      if case .key? = scope { return nil }
      return LeftChange(ns: ns, scope: scope ?? .all, soft: soft)
    default: return nil
    }
  }
}

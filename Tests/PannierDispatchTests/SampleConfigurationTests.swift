import Foundation
import PannierCore
import Testing

@testable import PannierDispatch

/// `examples/pannier.yaml`: what it shows must be taken, and it must show everything.

@Test func theSampleIsTakenWithoutAWarning() throws {
  let (configuration, warnings) = try load(try sample())
  #expect(warnings.isEmpty)
  #expect(configuration.namespaces.count == 3)
  #expect(configuration.policy(for: "sessions").rules.count == 2)
}

@Test func theSampleShowsEverySetting() throws {
  var faults = FaultList(file: "f")
  let root = try #require(YAMLText.node(uncommented(try sample()), faults: &faults))
  #expect(faults.isEmpty)
  let shown = paths(root, "")
  #expect(Setting.all.map(\.path).filter { !shown.contains($0) } == [])
}

@Test func whatTheSampleLeavesOutIsShownWithItsDefault() throws {
  let text = try sample()
  let (shown, warnings) = try load(uncommented(text))
  #expect(warnings.isEmpty)
  let (configuration, _) = try load(text)
  #expect(shown.socket == configuration.socket)
  #expect(shown.limits == configuration.limits)
  for name in ["anything", "pages", "sessions", "quiz"] {
    #expect(shown.policy(for: name) == configuration.policy(for: name))
  }
}

private func sample() throws -> String {
  let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  return try String(contentsOf: root.appending(path: "examples/pannier.yaml"), encoding: .utf8)
}

/// A setting left out begins with `#` and two spaces, a comment in words with `# ` or stands deeper.
private func uncommented(_ text: String) -> String {
  text.split(separator: "\n", omittingEmptySubsequences: false)
    .map { $0.hasPrefix("#  ") ? String($0.dropFirst()) : String($0) }
    .joined(separator: "\n")
}

private func paths(_ node: SettingNode, _ path: String) -> Set<String> {
  guard case .mapping(let entries) = node.content else { return [path] }
  return entries.reduce(into: [path]) { $0.formUnion(paths($1.value, joined(path, $1.name))) }
}

// `pannier clear`: removes all of a namespace, or what a glob or tags name.

import ArgumentParser

struct ClearCommand: OneShot {
  static let configuration = CommandConfiguration(
    commandName: "clear",
    abstract: "Remove all values of a namespace, or those that a glob or tags name.",
    discussion: """
      It holds for every reader from the moment it is answered. Quote globs, and '*' for every namespace, against the shell.

        pannier clear quiz --match 'user:*' --dry-run
        pannier clear quiz --tags class:7,class:8
        pannier clear '*'
      """)

  @Argument(help: "The namespace, or '*' for all.") var namespace: Word

  @Option(help: ArgumentHelp("Only keys that this glob fits: *, ?, [abc], [!a-z].", valueName: "glob"))
  var match: Word?

  @Option(help: ArgumentHelp("Only values with any of these tags: a,b.", valueName: "tags"), transform: TagList.init)
  var tags: TagList?

  @Flag(help: "End freshness only; values may be shown as stale.") var soft = false
  @Flag(help: "Change nothing; count, and name a few keys.") var dryRun = false
  @OptionGroup var connection: ConnectionOptions

  /// The answer comes with the exact count, after a walk over all entries beside other work: seconds, where they are
  /// many millions.
  var patienceSeconds: Int { 120 }

  func request() -> RequestLine {
    var line = RequestLine(op: "clear", namespace: namespace.text)
    if let match { line.add("match", match.text) }
    if let tags { line.add("tags", tags.tags) }
    line.add("soft", ifTrue: soft)
    line.add("dry_run", ifTrue: dryRun)
    return line
  }

  func show(_ answer: Answer) throws {
    let count = try answer.integer("cleared")
    let entries = "\(count) \(count == 1 ? "entry" : "entries")"
    guard dryRun else { return Output.print("cleared \(entries)") }
    let sample = try answer.strings("sample").map(Printable.line).joined(separator: ", ")
    Output.print("would clear \(entries)\(sample.isEmpty ? "" : ", for example: \(sample)")")
  }
}

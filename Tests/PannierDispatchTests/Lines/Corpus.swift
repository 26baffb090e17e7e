// Reads the files of Tests/Corpus: one example a line, in a notation for what a text can't show.

import Foundation

struct Corpus {
  struct Example: CustomStringConvertible {
    /// As it stands in the file, cut where it is long.
    let description: String
    let bytes: [UInt8]
  }

  let examples: [Example]

  init(_ name: String) throws {
    let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let text = try String(contentsOf: tests.appending(path: "Corpus/\(name).txt"), encoding: .utf8)
    examples = text.split(separator: "\n").filter { !$0.hasPrefix("# ") }.map { line in
      Example(description: String(line.prefix(120)), bytes: Self.bytes(line))
    }
  }

  /// `«1F E2»` is the bytes it says, `«[*3»` is `[[[`; all else is itself.
  private static func bytes(_ line: Substring) -> [UInt8] {
    var bytes: [UInt8] = []
    for (index, part) in line.split(omittingEmptySubsequences: false, whereSeparator: { "«»".contains($0) })
      .enumerated()
    {
      if index % 2 == 0 {
        bytes += Array(part.utf8)
      } else if let star = part.lastIndex(of: "*"), let count = Int(part[part.index(after: star)...]) {
        bytes += Array(String(repeating: String(part[..<star]), count: count).utf8)
      } else {
        bytes += part.split(separator: " ").compactMap { UInt8($0, radix: 16) }
      }
    }
    return bytes
  }
}

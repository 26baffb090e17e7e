// The one glob grammar, for keys in clears, listings and rules. It matches bytes and knows no locale.

/// A compiled pattern over bytes: `*` any run, `?` any one character, `[abc]` and `[a-z]` one of a set, `[!…]` one not in
/// it, `\` takes the next character as it is. `?` and sets stand for one UTF-8 character, as a writer of patterns expects.
///
/// Matching takes time in proportion to pattern × key at worst: it remembers one place to come back to (the last `*`),
/// which is enough, since an earlier `*` can never do better than the last.
package struct Glob: Equatable, Sendable {
  /// Longer ones are none: a clear keeps its glob, and readers may have to match it.
  package static let maximumBytes = 1024
  /// As many steps as walking to the next entry takes.
  static let stepsPerEntry = 128

  /// The pattern as it was written.
  package let pattern: [UInt8]
  private let parts: [Part]

  private enum Part: Equatable, Sendable {
    case anyRun
    case anyOne
    case one(UInt32)
    case oneOf([ClosedRange<UInt32>], negated: Bool)
  }

  /// Nil where a set isn't closed, a range runs backwards, the pattern ends in a lone `\`, it isn't UTF-8, or it is too long.
  package init?(_ pattern: some Collection<UInt8>) {
    guard pattern.count <= Self.maximumBytes else { return nil }
    self.pattern = Array(pattern)
    guard let text = String(validating: self.pattern, as: UTF8.self) else { return nil }
    var scalars = text.unicodeScalars.map(\.value)[...]
    var parts: [Part] = []
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "*":
        if parts.last != .anyRun { parts.append(.anyRun) }
      case "?": parts.append(.anyOne)
      case "[":
        guard let set = Self.set(&scalars) else { return nil }
        parts.append(set)
      case "\\":
        guard let escaped = scalars.popFirst() else { return nil }
        parts.append(.one(escaped))
      default: parts.append(.one(scalar))
      }
    }
    self.parts = parts
  }

  package func matches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    var steps = 0
    return matches(bytes, &steps)
  }

  /// Adds to `steps` the characters that it looked at in vain: what a match costs beyond its reading once.
  func matches(_ bytes: UnsafeRawBufferPointer, _ steps: inout Int) -> Bool {
    var part = 0
    var position = 0
    var afterRun: Int?
    var runEnd = 0
    while true {
      if part < parts.count, parts[part] == .anyRun {
        part += 1
        if part == parts.count { return true }
        afterRun = part
        runEnd = position
        continue
      }
      if part == parts.count, position == bytes.count { return true }
      if part < parts.count, let next = step(parts[part], bytes, position) {
        part += 1
        position = next
        continue
      }
      // Let the last `*` take one character more and try again.
      guard let resume = afterRun, runEnd < bytes.count else { return false }
      steps += position - runEnd + 1
      runEnd += Self.scalar(bytes, runEnd).width
      part = resume
      position = runEnd
    }
  }

  /// Where matching goes on after `part` took the character at `position`, or nil where it doesn't fit.
  private func step(_ part: Part, _ bytes: UnsafeRawBufferPointer, _ position: Int) -> Int? {
    guard position < bytes.count else { return nil }
    let (scalar, width) = Self.scalar(bytes, position)
    switch part {
    case .anyRun: return position
    case .anyOne: return position + width
    case .one(let wanted): return scalar == wanted ? position + width : nil
    case .oneOf(let ranges, let negated):
      return ranges.contains { $0.contains(scalar) } != negated ? position + width : nil
    }
  }

  /// The character at `position` of valid UTF-8, and how many bytes it takes.
  private static func scalar(_ bytes: UnsafeRawBufferPointer, _ position: Int) -> (value: UInt32, width: Int) {
    let first = UInt32(bytes[position])
    let width = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
    guard width > 1, position + width <= bytes.count else { return (first, 1) }
    var value = first & (0xFF >> UInt32(width + 1))
    for offset in 1..<width { value = value << 6 | UInt32(bytes[position + offset]) & 0x3F }
    return (value, width)
  }

  /// What stands between `[` and `]`; a `]` right after the opening is a member, as in a shell.
  private static func set(_ scalars: inout ArraySlice<UInt32>) -> Part? {
    var ranges: [ClosedRange<UInt32>] = []
    var negated = false
    if let next = scalars.first, next == "!" {
      negated = true
      scalars.removeFirst()
    }
    while var low = scalars.popFirst() {
      if low == "]", !ranges.isEmpty { return .oneOf(ranges, negated: negated) }
      if low == "\\" {
        guard let escaped = scalars.popFirst() else { return nil }
        low = escaped
      }
      var high = low
      if let dash = scalars.first, dash == "-", scalars.count > 1, scalars[scalars.startIndex + 1] != "]" {
        scalars.removeFirst()
        guard var end = scalars.popFirst() else { return nil }
        if end == "\\" {
          guard let escaped = scalars.popFirst() else { return nil }
          end = escaped
        }
        high = end
      }
      guard low <= high else { return nil }
      ranges.append(low...high)
    }
    return nil
  }
}

/// Lets a `switch` over scalar values name characters.
private func ~= (character: Unicode.Scalar, value: UInt32) -> Bool { character.value == value }
private func == (value: UInt32, character: Unicode.Scalar) -> Bool { value == character.value }
private func != (value: UInt32, character: Unicode.Scalar) -> Bool { value != character.value }

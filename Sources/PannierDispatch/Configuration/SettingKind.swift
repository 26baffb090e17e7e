// What a setting may be: reads a node as a duration, a size, one of a few words and so on, or says what is wrong with it.

/// How settings that hold a `Value` are written. It knows no setting.
struct SettingKind<Value: Equatable & Sendable>: Sendable {
  /// For "expected …".
  let expected: String
  /// Whether a variable or a flag has to be taken apart before it is read.
  let takesList: Bool
  /// Nil: `faults` says why.
  let read: @Sendable (_ node: SettingNode, _ path: String, _ faults: inout FaultList) -> Value?

  init(
    expected: String, takesList: Bool = false,
    read: @escaping @Sendable (SettingNode, String, inout FaultList) -> Value?
  ) {
    self.expected = expected
    self.takesList = takesList
    self.read = read
  }

  /// A kind written as one text.
  init(_ expected: String, parse: @escaping @Sendable (String) throws(SettingRefusal) -> Value) {
    self.init(expected: expected) { node, path, faults in
      guard case .text(let text) = node.content else {
        node.addRefusal(expected: expected, path: path, faults: &faults)
        return nil
      }
      do throws(SettingRefusal) {
        return try parse(text)
      } catch {
        faults.add(error.message, path: path, line: node.line)
        return nil
      }
    }
  }

  /// As `kind`, which is written as one text, or `none` (or the word that says it better) or nothing.
  static func orNone<Wrapped>(_ kind: SettingKind<Wrapped>, word: String = "none") -> Self where Value == Wrapped? {
    let expected = "\(kind.expected) or \(word)"
    return Self(expected: expected) { node, path, faults in
      switch node.content {
      case .none, .text(word), .text("none"): return .some(nil)
      case .text:
        guard let value = kind.read(node, path, &faults) else { return nil }
        return .some(value)
      case .list, .mapping, .refused:
        node.addRefusal(expected: expected, path: path, faults: &faults)
        return nil
      }
    }
  }
}

extension SettingKind<Int64> {
  static func duration(_ range: ClosedRange<Int64>) -> Self {
    Self("a duration such as 10m") { text throws(SettingRefusal) in try Durations.milliseconds(text, in: range) }
  }
}

extension SettingKind<Int> {
  static func size(_ range: ClosedRange<Int>) -> Self {
    Self("a size such as 256MiB") { text throws(SettingRefusal) in try Sizes.bytes(text, in: range) }
  }

  static func count(_ range: ClosedRange<Int>) -> Self {
    Self("a number") { text throws(SettingRefusal) in
      guard let number = DecimalNumber(text.utf8), number.isWhole else {
        throw SettingRefusal(message: "\(quoted(text)) is not a whole number")
      }
      let count = Int(number.scaled(by: 1))
      guard range.contains(count) else {
        throw SettingRefusal(
          message: "\(quoted(text)) is out of range; it must be \(range.lowerBound) to \(range.upperBound)")
      }
      return count
    }
  }

  /// A duration that is held in an `Int`, as `Limits` holds all its numbers.
  static func time(_ range: ClosedRange<Int>) -> Self {
    Self("a duration such as 10s") { text throws(SettingRefusal) in
      Int(try Durations.milliseconds(text, in: Int64(range.lowerBound)...Int64(range.upperBound)))
    }
  }
}

extension SettingKind<Double> {
  static var share: Self { share("a number from 0 to below 1, such as 0.1") { $0 >= 0 } }
  static var positiveShare: Self { share("a number above 0 and below 1, such as 0.8") { $0 > 0 } }

  private static func share(_ form: String, _ isInRange: @escaping @Sendable (Double) -> Bool) -> Self {
    Self("a share such as 0.1") { text throws(SettingRefusal) in
      // Asked first, since Double also takes hexadecimal, "inf" and "nan".
      guard DecimalNumber(text.utf8) != nil, let share = Double(text), isInRange(share), share < 1 else {
        throw SettingRefusal(message: "\(quoted(text)) is not a share; write \(form)")
      }
      // Minus zero would be printed as it is.
      return share == 0 ? 0 : share
    }
  }
}

extension SettingKind where Value: RawRepresentable<String> & CaseIterable {
  /// One of the words that `Value` has.
  static var word: Self {
    let words = Value.allCases.map(\.rawValue).joined(separator: " | ")
    return Self("one of \(words)") { text throws(SettingRefusal) in
      guard let value = Value(rawValue: text) else {
        throw SettingRefusal(message: "\(quoted(text)) is not one of \(words)")
      }
      return value
    }
  }
}

extension SettingKind<String> {
  static var socketPath: Self {
    Self("a path") { text throws(SettingRefusal) in
      guard !text.isEmpty, !text.utf8.contains(0) else {
        throw SettingRefusal(message: "\(quoted(text)) is not a path")
      }
      let length = text.utf8.count
      let longest = SocketRules.longestPathBytes
      guard length <= longest else {
        throw SettingRefusal(
          message: "\(quoted(text)) has \(length) bytes; a socket's path can have at most \(longest)")
      }
      guard SocketRules.name(in: text) != nil else {
        throw SettingRefusal(
          message:
            "\(quoted(text)) names a directory; a socket's path ends in its own name, as in /run/pannier/pannier.sock")
      }
      return text
    }
  }

  /// Kept as it was written: who creates the socket looks it up again.
  static var group: Self {
    Self("a group such as www-data") { text throws(SettingRefusal) in
      guard Accounts.gid(text) != nil else {
        throw SettingRefusal(message: "there is no group \(quoted(text)) on this host")
      }
      return text
    }
  }
}

extension SettingKind<UInt16> {
  /// YAML would read 0660 as a decimal or an octal number, depending on its version; here it is octal, however quoted.
  static var fileMode: Self {
    Self("a file mode such as 0660") { text throws(SettingRefusal) in
      let digits = text.hasPrefix("0o") ? text.dropFirst(2) : text.hasPrefix("0") ? text.dropFirst() : ""
      let isOctal = !digits.isEmpty && digits.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
      guard isOctal, let mode = UInt16(digits, radix: 8), mode <= 0o777 else {
        throw SettingRefusal(
          message: "\(quoted(text)) is not a file mode; write it in octal with its zero, such as 0660")
      }
      guard SocketRules.isUsable(mode: mode) else {
        throw SettingRefusal(
          message: "\(quoted(text)) keeps the owner out; a socket's mode has 0600 in it, such as 0660")
      }
      return mode
    }
  }
}

extension SettingKind<[UInt32]> {
  static var users: Self { accounts("user", "users such as [0, www-data]", Accounts.uid) }
  static var groups: Self { accounts("group", "groups such as [0, www-data]", Accounts.gid) }

  private static func accounts(
    _ noun: String, _ example: String, _ number: @escaping @Sendable (String) -> UInt32?
  ) -> Self {
    let one = SettingKind<UInt32>("a \(noun)") { text throws(SettingRefusal) in
      guard let number = number(text) else {
        throw SettingRefusal(message: "there is no \(noun) \(quoted(text)) on this host")
      }
      return number
    }
    return list(of: one, expected: "a list of \(example)")
  }
}

extension SettingKind {
  /// A list whose faulty items are all named, each by its position from 0.
  static func list<Item>(of item: SettingKind<Item>, expected: String) -> Self where Value == [Item] {
    Self(expected: expected, takesList: true) { node, path, faults in
      switch node.content {
      case .none: return []
      case .list(let nodes):
        let items = nodes.enumerated().map { index, node in item.read(node, "\(path)[\(index)]", &faults) }
        let read = items.compactMap { $0 }
        return read.count == items.count ? read : nil
      case .text, .mapping, .refused:
        node.addRefusal(expected: expected, path: path, faults: &faults)
        return nil
      }
    }
  }
}

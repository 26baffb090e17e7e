// Reads one field as the type it must have: names and keys, flags, times, lists. It knows no op's other rules.

extension RequestDecoder {
  @inline(__always)
  func namespace() throws(Refusal) -> Bytes {
    guard members.contains(.ns) else { throw Refusal(.badRequest, "\(op?.name ?? "") needs \"ns\"") }
    return try text(.ns)
  }

  @inline(__always)
  mutating func keySelection(_ op: StaticString) throws(Refusal) -> Request.KeySelection {
    if members.contains(.key) != members.contains(.keys) {
      return members.contains(.key) ? .one(try key(members[.key], "key")) : .many(try manyKeys())
    }
    throw Refusal(
      .badRequest,
      members.contains(.key) ? "\(op) takes \"key\" or \"keys\", not both" : "\(op) needs \"key\" or \"keys\"")
  }

  func singleKey(_ op: StaticString) throws(Refusal) -> Bytes {
    guard members.contains(.key) else { throw Refusal(.badRequest, "\(op) needs \"key\"") }
    return try key(members[.key], "key")
  }

  func manyKeys() throws(Refusal) -> [Bytes] {
    try elements(of: members[.keys], "keys") { (token, index) throws(Refusal) in try key(token, "keys[\(index)]") }
  }

  @inline(__always)
  func key(_ token: Token, _ place: @autoclosure () -> String) throws(Refusal) -> Bytes {
    guard token.kind == .string else { throw Refusal(.badRequest, "\"\(place())\" must be a string") }
    let key = try text(token, place())
    if key.count &- 1 < limits.keyBytes, !key.isEmpty { return key }
    throw key.isEmpty
      ? Refusal(.badRequest, "\"\(place())\" is empty; a key has at least one byte")
      : Refusal(.keyTooLong, "\"\(place())\" has \(key.count) bytes; limits.key_bytes is \(limits.keyBytes)")
  }

  /// Reads an array that was found well formed. Each element is looked at before any is used: a request does all or nothing.
  func elements<Element>(
    of token: Token, _ name: String, _ element: (Token, Int) throws(Refusal) -> Element
  ) throws(Refusal) -> [Element] {
    guard token.kind == .array else { throw Refusal(.badRequest, "\"\(name)\" must be a list") }
    var reader = JSONReader(token.start, depth: limits.nesting)
    var result: [Element] = []
    do throws(JSONFault) {
      try reader.enter()
      guard reader.peek() != UInt8(ascii: "]") else { throw reader.fault("") }
    } catch {
      throw Refusal(.badRequest, "\"\(name)\" is empty; it must name at least one")
    }
    repeat {
      guard result.count < limits.items else {
        throw Refusal(.badRequest, "\"\(name)\" has more than \(limits.items) elements (limits.items)")
      }
      result.append(try element(try next(&reader), result.count))
    } while reader.take(UInt8(ascii: ","))
    return result
  }

  /// The next value of JSON that was found well formed, so that a fault here is a defect of ours.
  func next(_ reader: inout JSONReader) throws(Refusal) -> Token {
    do { return try reader.value() } catch {
      throw Refusal(.internal, "a checked line did not read again: \(error.problem)")
    }
  }
}

// MARK: Types

extension RequestDecoder {
  @inline(__always)
  func lifetime(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> Request.Lifetime {
    guard members.contains(.ttl) else { return .policy }
    if members[.ttl].kind == .null { return .unlimited }
    guard let span = milliseconds(members[.ttl]), span > 0 else {
      throw Refusal(.badRequest, "\"\(place)ttl\" must be a number of seconds from 0.001 to 315360000, or null")
    }
    return .milliseconds(span)
  }

  @inline(__always)
  func staleSpan(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> Int64? {
    guard members.contains(.stale) else { return nil }
    guard let span = milliseconds(members[.stale]) else {
      throw Refusal(.badRequest, "\"\(place)stale\" must be a number of seconds from 0 to 315360000")
    }
    return span
  }

  @inline(__always)
  func milliseconds(_ token: Token) -> Int64? {
    token.isNumber ? token.milliseconds(atMost: RequestLimits.maximumLifetimeMilliseconds) : nil
  }

  @inline(__always)
  func tags(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> [Bytes] {
    guard members.contains(.tags) else { return [] }
    return try tagList(members[.tags], "\(place)tags")
  }

  func tagList(_ token: Token, _ place: String) throws(Refusal) -> [Bytes] {
    let problem =
      "\"\(place)\" must be a list of at most \(RequestLimits.tags) strings of 1 to \(RequestLimits.tagBytes) bytes"
    let tags = try strings(token, place, atMost: RequestLimits.tags, problem)
    guard tags.allSatisfy({ (1...RequestLimits.tagBytes).contains($0.count) }) else {
      throw Refusal(.badRequest, problem)
    }
    return tags
  }

  func strings(_ field: Field, atMost limit: Int) throws(Refusal) -> [Bytes] {
    try strings(members[field], "\(field.name)", atMost: limit, "\"\(field.name)\" must be a list of strings")
  }

  /// A list of strings, which may be empty.
  func strings(_ token: Token, _ name: String, atMost limit: Int, _ problem: String) throws(Refusal) -> [Bytes] {
    guard token.kind == .array else { throw Refusal(.badRequest, problem) }
    var reader = JSONReader(token.start + 1, depth: limits.nesting)
    var result: [Bytes] = []
    guard reader.peek() != UInt8(ascii: "]") else { return [] }
    repeat {
      let element = try next(&reader)
      guard element.kind == .string, result.count < limit else { throw Refusal(.badRequest, problem) }
      result.append(try text(element, name))
    } while reader.take(UInt8(ascii: ","))
    return result
  }

  @inline(__always)
  func flag(_ field: Field) throws(Refusal) -> Bool {
    guard members.contains(field) else { return false }
    switch members[field].kind {
    case .yes: return true
    case .no: return false
    default: throw Refusal(.badRequest, "\"\(field.name)\" must be true or false")
    }
  }

  @inline(__always)
  func text(_ field: Field) throws(Refusal) -> Bytes {
    guard members[field].kind == .string else { throw Refusal(.badRequest, "\"\(field.name)\" must be a string") }
    return try text(members[field], "\(field.name)")
  }

  @inline(__always)
  func text(_ token: Token, _ place: @autoclosure () -> String) throws(Refusal) -> Bytes {
    if !token.isEscaped { return token.bytes }
    guard let text = token.text() else { throw Refusal(.badJSON, "\"\(place())\" has half of a surrogate pair") }
    return text
  }
}

/// Whether a namespace may be called so. Asked when one is made, and not each time it is named.
package func isNamespaceName(_ name: Bytes) -> Bool {
  (1...64).contains(name.count) && name.allSatisfy(isNamespaceByte)
}

private func isNamespaceByte(_ byte: UInt8) -> Bool {
  isDigit(byte) || (byte | 0x20) &- UInt8(ascii: "a") < 26 || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
    || byte == UInt8(ascii: "-")
}

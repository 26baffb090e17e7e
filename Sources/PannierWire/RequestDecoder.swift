// Turns one line into a `Request`, or says what is wrong with it. It knows each op's fields and their types, and nothing
// of namespaces, policies or what is stored.

/// Decodes the lines of all connections, one after another. What it returns borrows from the line.
package struct RequestDecoder: ~Copyable {
  package let limits: RequestLimits
  private var members = Members()
  private var itemMembers = Members()
  private let ops: NameTable<Op>

  /// The request's id as written; nil where it has none, or none could be read. Set by each `decode`, whatever it returns.
  package private(set) var id: Bytes?
  /// Set by each `decode` as soon as the op is known.
  package private(set) var op: Op?

  package init(limits: RequestLimits) {
    self.limits = limits
    ops = NameTable(Op.allCases.filter { $0 != .advance || limits.testClock }.map { ($0.name, $0) })
  }

  /// The request on a line.
  package mutating func decode(_ line: Line) throws(Refusal) -> Request {
    try request(try read(line))
  }

  /// Reads a line as far as its op, and sees that it has no field that the op doesn't. `request` or `get` then gives what it
  /// asks: apart, since handing on a whole `Request` costs the commonest one a tenth of its way.
  package mutating func read(_ line: Line) throws(Refusal) -> Op {
    id = nil
    op = nil
    if !line.isASCII, !isUTF8(line.bytes) { throw Refusal(.badUTF8, "the line is not UTF-8") }
    do throws(JSONFault) {
      var reader = JSONReader(line.start, depth: limits.nesting)
      defer { readID() }
      try members.read(&reader)
      if reader.peek() != 0x0A || reader.cursor != line.start + line.count {
        throw reader.fault("something stands behind the object")
      }
    } catch {
      throw Refusal(.badJSON, "at byte \(error.offset): \(error.problem)")
    }
    if members.contains(.id), id == nil {
      if members[.id].isEscaped, !members[.id].hasWholeCharacters {
        throw Refusal(.badJSON, "\"id\" has half of a surrogate pair")
      }
      throw Refusal(.badRequest, "\"id\" must be a string of at most \(RequestLimits.idBytes) bytes, or an integer")
    }
    let op = try readOp()
    self.op = op
    try refuseStrangers(op.fields, "\(op.name)")
    return op
  }

  /// What the line read last asks, where its op is `get`.
  package mutating func get() throws(Refusal) -> Request.Get {
    Request.Get(
      ns: try namespace(), keys: try keySelection("get"), stale: try flag(.stale), meta: try flag(.meta),
      maxAgeMilliseconds: try maxAge(), unless: try version(.unless))
  }

  /// Takes the id even from a line that is bad further on: its answer should find its way.
  @inline(__always)
  private mutating func readID() {
    guard members.contains(.id) else { return }
    let token = members[.id]
    guard token.count <= RequestLimits.idBytes, token.kind == .string || token.kind == .integer else { return }
    if !token.isEscaped || token.hasWholeCharacters { id = token.raw }
  }

  @inline(__always)
  private func readOp() throws(Refusal) -> Op {
    guard members.contains(.op) else { throw Refusal(.badRequest, "a request needs \"op\"") }
    let token = members[.op]
    guard token.kind == .string else { throw Refusal(.badRequest, "\"op\" must be a string") }
    if let op = ops[token.bytes] { return op }
    let name = try text(.op)
    if let op = ops[name] { return op }
    let known = Op.allCases.filter { $0 != .advance || limits.testClock }.map { "\($0.name)" }
    throw Refusal(.unknownOp, unknownName("op", name, among: known, "there are"))
  }

  @inline(__always)
  private func refuseStrangers(_ fields: FieldSet, _ owner: @autoclosure () -> String) throws(Refusal) {
    if members.unknown == nil, members.present.subtracting(fields).bits == 0 { return }
    throw stranger(in: members, fields, owner())
  }

  private func stranger(in members: borrowing Members, _ fields: FieldSet, _ owner: String) -> Refusal {
    let name = members.unknown ?? members.present.subtracting(fields).names.first ?? ""
    return Refusal(.badRequest, unknownName("field", Array(name.utf8), among: fields.names, "\(owner) has"))
  }

  /// What the line read last asks.
  package mutating func request(_ op: Op) throws(Refusal) -> Request {
    switch op {
    case .get: return .get(try get())
    case .set: return .set(Request.Set(ns: try namespace(), items: try itemSelection()))
    case .delete:
      return .delete(Request.Delete(ns: try namespace(), keys: try keySelection("delete"), soft: try flag(.soft)))
    case .touch:
      return .touch(
        Request.Touch(
          ns: try namespace(), key: try singleKey("touch"), ttl: try lifetime(members),
          staleMilliseconds: try staleSpan(members)))
    case .exists: return .exists(ns: try namespace(), key: try singleKey("exists"))
    case .explain: return .explain(ns: try namespace(), key: try singleKey("explain"))
    case .ping: return .ping
    case .hello:
      if members.contains(.client), try text(.client).count > RequestLimits.clientBytes {
        throw Refusal(.badRequest, "\"client\" has more than \(RequestLimits.clientBytes) bytes")
      }
      return .hello
    case .keys: return .keys(try listing())
    case .clear: return .clear(try clearance())
    case .stats: return .stats(ns: members.contains(.ns) ? try namespace() : nil)
    case .policy:
      if members.contains(.set), members[.set].kind != .object {
        throw Refusal(.badRequest, "\"set\" must be an object of policy fields")
      }
      return .policy(ns: try namespace(), set: members.contains(.set) ? members[.set].raw : nil)
    case .watch: return .watch(try watching())
    case .advance:
      guard members.contains(.seconds), let span = milliseconds(members[.seconds]) else {
        throw Refusal(.badRequest, "advance needs \"seconds\", a number from 0 to 315360000")
      }
      return .advance(milliseconds: span)
    }
  }
}

// MARK: Fields of one op

extension RequestDecoder {
  private func listing() throws(Refusal) -> Request.Keys {
    var limit = min(RequestLimits.keysDefault, limits.items)
    if members.contains(.limit) {
      guard let wanted = members[.limit].wholeNumber(atMost: UInt64(limits.items)), wanted > 0 else {
        throw Refusal(.badRequest, "\"limit\" must be a whole number from 1 to \(limits.items) (limits.items)")
      }
      limit = Int(wanted)
    }
    return Request.Keys(
      ns: try namespace(), match: members.contains(.match) ? try text(.match) : nil, limit: limit,
      after: members.contains(.after) ? try text(.after) : nil)
  }

  private func clearance() throws(Refusal) -> Request.Clear {
    if members.contains(.match), members.contains(.tags) {
      throw Refusal(.badRequest, "clear takes \"match\" or \"tags\", not both")
    }
    let tags = try tags(members)
    if members.contains(.tags), tags.isEmpty { throw Refusal(.badRequest, "\"tags\" is empty; name at least one") }
    let name = try namespace()
    return Request.Clear(
      ns: name.elementsEqual("*".utf8) ? nil : name, match: members.contains(.match) ? try text(.match) : nil,
      tags: tags, soft: try flag(.soft), dryRun: try flag(.dryRun))
  }

  private func watching() throws(Refusal) -> Request.Watch {
    var events: [Bytes]?
    if members.contains(.events) { events = try strings(.events, atMost: 64) }
    var sample = 1.0
    if members.contains(.sample) {
      guard let share = members[.sample].share() else {
        throw Refusal(.badRequest, "\"sample\" must be a number from 0 to 1")
      }
      sample = share
    }
    return Request.Watch(ns: members.contains(.ns) ? try namespace() : nil, events: events, sample: sample)
  }

  @inline(__always)
  private func maxAge() throws(Refusal) -> Int64? {
    guard members.contains(.maxAge) else { return nil }
    guard let span = milliseconds(members[.maxAge]) else {
      throw Refusal(.badRequest, "\"max_age\" must be a number of seconds from 0 to 315360000")
    }
    return span
  }

  @inline(__always)
  private func version(_ field: Field) throws(Refusal) -> UInt64? {
    guard members.contains(field) else { return nil }
    guard let version = members[field].wholeNumber(atMost: RequestLimits.maximumVersion) else {
      throw Refusal(.badRequest, "\"\(field.name)\" must be a version, a whole number below 2^53")
    }
    return version
  }
}

// MARK: Names and keys

extension RequestDecoder {
  @inline(__always)
  private func namespace() throws(Refusal) -> Bytes {
    guard members.contains(.ns) else { throw Refusal(.badRequest, "\(op?.name ?? "") needs \"ns\"") }
    return try text(.ns)
  }

  @inline(__always)
  private mutating func keySelection(_ op: StaticString) throws(Refusal) -> Request.KeySelection {
    if members.contains(.key) != members.contains(.keys) {
      return members.contains(.key) ? .one(try key(members[.key], "key")) : .many(try manyKeys())
    }
    throw Refusal(
      .badRequest,
      members.contains(.key) ? "\(op) takes \"key\" or \"keys\", not both" : "\(op) needs \"key\" or \"keys\"")
  }

  private func singleKey(_ op: StaticString) throws(Refusal) -> Bytes {
    guard members.contains(.key) else { throw Refusal(.badRequest, "\(op) needs \"key\"") }
    return try key(members[.key], "key")
  }

  private func manyKeys() throws(Refusal) -> [Bytes] {
    try elements(of: members[.keys], "keys") { (token, index) throws(Refusal) in try key(token, "keys[\(index)]") }
  }

  @inline(__always)
  private func key(_ token: Token, _ place: @autoclosure () -> String) throws(Refusal) -> Bytes {
    guard token.kind == .string else { throw Refusal(.badRequest, "\"\(place())\" must be a string") }
    let key = try text(token, place())
    if key.count &- 1 < limits.keyBytes, !key.isEmpty { return key }
    throw key.isEmpty
      ? Refusal(.badRequest, "\"\(place())\" is empty; a key has at least one byte")
      : Refusal(.keyTooLong, "\"\(place())\" has \(key.count) bytes; limits.key_bytes is \(limits.keyBytes)")
  }

  /// Reads an array that was found well formed. Each element is looked at before any is used: a request does all or nothing.
  private func elements<Element>(
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
  private func next(_ reader: inout JSONReader) throws(Refusal) -> Token {
    do { return try reader.value() } catch {
      throw Refusal(.internal, "a checked line did not read again: \(error.problem)")
    }
  }
}

// MARK: Items

extension RequestDecoder {
  @inline(__always)
  private mutating func itemSelection() throws(Refusal) -> Request.ItemSelection {
    guard members.contains(.items) else {
      guard members.contains(.key) else { throw Refusal(.badRequest, "set needs \"key\" and \"value\", or \"items\"") }
      return .one(try item(members, ""))
    }
    let misplaced = Op.itemFields.names.first { name in members.present.names.contains(name) }
    if let misplaced { throw Refusal(.badRequest, "\"\(misplaced)\" beside \"items\"; it belongs in each item") }
    return .many(try manyItems())
  }

  private mutating func manyItems() throws(Refusal) -> [Request.Item] {
    let tokens = try elements(of: members[.items], "items") { (token, _) throws(Refusal) in token }
    var result: [Request.Item] = []
    result.reserveCapacity(tokens.count)
    for (index, token) in tokens.enumerated() {
      guard token.kind == .object else { throw Refusal(.badRequest, "\"items[\(index)]\" must be an object") }
      var reader = JSONReader(token.start, depth: limits.nesting)
      do throws(JSONFault) { try readItem(&reader) } catch {
        throw Refusal(.badJSON, "in items[\(index)], at byte \(error.offset): \(error.problem)")
      }
      if itemMembers.unknown != nil || itemMembers.present.subtracting(Op.itemFields).bits != 0 {
        let refusal = stranger(in: itemMembers, Op.itemFields, "an item")
        throw Refusal(refusal.code, "in items[\(index)]: \(refusal.message)")
      }
      guard itemMembers.contains(.key) else { throw Refusal(.badRequest, "items[\(index)] needs \"key\"") }
      result.append(try item(itemMembers, "items[\(index)]."))
    }
    return result
  }

  private mutating func readItem(_ reader: inout JSONReader) throws(JSONFault) { try itemMembers.read(&reader) }

  @inline(__always)
  private func item(_ members: borrowing Members, _ place: String) throws(Refusal) -> Request.Item {
    guard members.contains(.value) else {
      throw Refusal(.badRequest, "\(place.isEmpty ? "set" : String(place.dropLast())) needs \"value\"")
    }
    return Request.Item(
      key: try key(members[.key], "\(place)key"), value: members[.value].raw, ttl: try lifetime(members, place),
      staleMilliseconds: try staleSpan(members, place), tags: try tags(members, place),
      condition: try condition(members, place))
  }

  @inline(__always)
  private func condition(_ members: borrowing Members, _ place: String) throws(Refusal) -> Request.Condition {
    guard members.contains(.condition) else { return .none }
    let token = members[.condition]
    let problem = "\"\(place)if\" must be \"absent\", \"present\" or {\"version\":n} with a whole number below 2^53"
    if token.kind == .string {
      let word = try text(token, "\(place)if")
      if word.elementsEqual("absent".utf8) { return .absent }
      if word.elementsEqual("present".utf8) { return .present }
    } else if token.kind == .object {
      // One member alone, read by hand: no other object has `version`.
      var reader = JSONReader(token.start + 1, depth: 1)
      guard reader.take(UInt8(ascii: "\"")), let name = try? reader.string(), let text = name.text(),
        text.elementsEqual("version".utf8), reader.take(UInt8(ascii: ":")), let value = try? reader.value(),
        reader.take(UInt8(ascii: "}")), let version = value.wholeNumber(atMost: RequestLimits.maximumVersion)
      else { throw Refusal(.badRequest, problem) }
      return .version(version)
    }
    throw Refusal(.badRequest, problem)
  }
}

// MARK: Types

extension RequestDecoder {
  @inline(__always)
  private func lifetime(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> Request.Lifetime {
    guard members.contains(.ttl) else { return .policy }
    if members[.ttl].kind == .null { return .unlimited }
    guard let span = milliseconds(members[.ttl]), span > 0 else {
      throw Refusal(.badRequest, "\"\(place)ttl\" must be a number of seconds from 0.001 to 315360000, or null")
    }
    return .milliseconds(span)
  }

  @inline(__always)
  private func staleSpan(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> Int64? {
    guard members.contains(.stale) else { return nil }
    guard let span = milliseconds(members[.stale]) else {
      throw Refusal(.badRequest, "\"\(place)stale\" must be a number of seconds from 0 to 315360000")
    }
    return span
  }

  @inline(__always)
  private func milliseconds(_ token: Token) -> Int64? {
    token.isNumber ? token.milliseconds(atMost: RequestLimits.maximumLifetimeMilliseconds) : nil
  }

  @inline(__always)
  private func tags(_ members: borrowing Members, _ place: String = "") throws(Refusal) -> [Bytes] {
    guard members.contains(.tags) else { return [] }
    return try tagList(members[.tags], "\(place)tags")
  }

  private func tagList(_ token: Token, _ place: String) throws(Refusal) -> [Bytes] {
    let problem =
      "\"\(place)\" must be a list of at most \(RequestLimits.tags) strings of 1 to \(RequestLimits.tagBytes) bytes"
    let tags = try strings(token, place, atMost: RequestLimits.tags, problem)
    guard tags.allSatisfy({ (1...RequestLimits.tagBytes).contains($0.count) }) else {
      throw Refusal(.badRequest, problem)
    }
    return tags
  }

  private func strings(_ field: Field, atMost limit: Int) throws(Refusal) -> [Bytes] {
    try strings(members[field], "\(field.name)", atMost: limit, "\"\(field.name)\" must be a list of strings")
  }

  /// A list of strings, which may be empty.
  private func strings(_ token: Token, _ name: String, atMost limit: Int, _ problem: String) throws(Refusal) -> [Bytes]
  {
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
  private func flag(_ field: Field) throws(Refusal) -> Bool {
    guard members.contains(field) else { return false }
    switch members[field].kind {
    case .yes: return true
    case .no: return false
    default: throw Refusal(.badRequest, "\"\(field.name)\" must be true or false")
    }
  }

  @inline(__always)
  private func text(_ field: Field) throws(Refusal) -> Bytes {
    guard members[field].kind == .string else { throw Refusal(.badRequest, "\"\(field.name)\" must be a string") }
    return try text(members[field], "\(field.name)")
  }

  @inline(__always)
  private func text(_ token: Token, _ place: @autoclosure () -> String) throws(Refusal) -> Bytes {
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

private func isUTF8(_ bytes: Bytes) -> Bool {
  (try? UTF8Span(validating: bytes.bindMemory(to: UInt8.self).span)) != nil
}

/// `unknown field "tll", did you mean "ttl"?`, or where nothing is near, the names there are.
private func unknownName(_ what: String, _ name: some Sequence<UInt8>, among known: [String], _ preface: String)
  -> String
{
  // As much as a reader needs to find it in what was sent.
  let shown = String(decoding: Array(name.prefix(64)), as: UTF8.self)
  if let near = nearestName(to: shown, among: known) {
    return "unknown \(what) \"\(shown)\", did you mean \"\(near)\"?"
  }
  return "unknown \(what) \"\(shown)\"; \(preface): \(known.joined(separator: ", "))"
}

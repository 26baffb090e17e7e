// Turns one line into a `Request`, or says what is wrong with it. It knows each op's fields and their types, and nothing
// of namespaces, policies or what is stored.

/// Decodes the lines of all connections, one after another. What it returns borrows from the line.
package struct RequestDecoder: ~Copyable {
  package let limits: RequestLimits
  var members = Members()
  var itemMembers = Members()
  private let ops: NameTable<Op>
  /// Fields of a `get` for one key that say nothing to a fresh value; and those among them that need no look.
  private let plainGetFields: FieldSet = [.id, .op, .ns, .key, .lease, .wait, .stale]
  private let plainestGetFields: FieldSet = [.id, .op, .ns, .key]

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

  /// Of a `get` that a fresh value answers, whatever else it says: what finds that value. Nil: it may want more, or has to be
  /// looked at more closely. It leaves the line as it is, for `get`. Mutating as to its form alone: else its
  /// caller hands it all the decoder's bytes.
  @inline(__always)
  package mutating func plainGet() throws(Refusal) -> PlainGet? {
    guard members.present.subtracting(plainGetFields).bits == 0, members.contains(.key), members.contains(.ns) else {
      return nil
    }
    let key = members[.key]
    let ns = members[.ns]
    guard key.kind == .string, ns.kind == .string, !key.isEscaped, !ns.isEscaped, key.count &- 1 < limits.keyBytes
    else {
      return nil
    }
    if members.present.subtracting(plainestGetFields).bits == 0 {
      return PlainGet(ns: ns.bytes, key: key.bytes, lease: false)
    }
    _ = try flag(.stale)
    if members.contains(.wait), !isPlainSpan(members[.wait]) { return nil }
    return PlainGet(ns: ns.bytes, key: key.bytes, lease: try flag(.lease))
  }

  /// Whether it is surely a time within bounds.
  @inline(__always)
  private func isPlainSpan(_ token: Token) -> Bool {
    token.kind == .integer && token.count < 9 && token.start.pointee != UInt8(ascii: "-")
  }

  /// What the line read last asks, where its op is `get`.
  package mutating func get() throws(Refusal) -> Request.Get {
    Request.Get(
      ns: try namespace(), keys: try keySelection("get"), lease: try flag(.lease), waitMilliseconds: try span(.wait),
      stale: try flag(.stale), meta: try flag(.meta), maxAgeMilliseconds: try span(.maxAge),
      unless: try version(.unless), strict: try flag(.strict))
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

  func stranger(in members: borrowing Members, _ fields: FieldSet, _ owner: String) -> Refusal {
    let name = members.unknown ?? members.present.subtracting(fields).names.first ?? ""
    return Refusal(.badRequest, unknownName("field", Array(name.utf8), among: fields.names, "\(owner) has"))
  }

  /// What the line read last asks.
  package mutating func request(_ op: Op) throws(Refusal) -> Request {
    switch op {
    case .get: return .get(try get())
    case .set: return .set(Request.Set(ns: try namespace(), items: try itemSelection()))
    case .release: return .release(try release())
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
      // Backslashes stand in strings alone, so that all of them are looked at at once.
      if members.contains(.set), !members[.set].hasWholeCharacters {
        throw Refusal(.badJSON, "\"set\" has half of a surrogate pair")
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

  private func release() throws(Refusal) -> Request.Release {
    guard members.contains(.lease) else {
      throw Refusal(.badRequest, "release needs \"lease\", the token that get gave")
    }
    let failed = try flag(.failed)
    let pass = try flag(.pass)
    if failed, pass { throw Refusal(.badRequest, "release takes \"failed\" or \"pass\", not both") }
    var retryMilliseconds: Int64?
    if members.contains(.retryAfter) {
      guard failed || pass else {
        throw Refusal(
          .badRequest, "\"retry_after\" goes with \"failed\" or \"pass\": without, another may load at once")
      }
      let most = RequestLimits.maximumRetryMilliseconds
      guard members[.retryAfter].isNumber, let span = members[.retryAfter].milliseconds(atMost: most) else {
        throw Refusal(.badRequest, "\"retry_after\" must be a number of seconds from 0 to \(most / 1000)")
      }
      retryMilliseconds = span
    }
    return Request.Release(
      ns: try namespace(), key: try singleKey("release"), lease: try text(.lease),
      outcome: failed ? .failed : pass ? .pass : .none, retryMilliseconds: retryMilliseconds)
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
  private func span(_ field: Field) throws(Refusal) -> Int64? {
    guard members.contains(field) else { return nil }
    guard let span = milliseconds(members[field]) else {
      throw Refusal(.badRequest, "\"\(field.name)\" must be a number of seconds from 0 to 315360000")
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

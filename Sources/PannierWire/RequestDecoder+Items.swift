// Reads what a `set` stores: one item in the request itself, or a list of them.

extension RequestDecoder {
  @inline(__always)
  mutating func itemSelection() throws(Refusal) -> Request.ItemSelection {
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
      condition: try condition(members, place), lease: try lease(members, place))
  }

  @inline(__always)
  private func lease(_ members: borrowing Members, _ place: String) throws(Refusal) -> Bytes? {
    guard members.contains(.lease) else { return nil }
    guard members[.lease].kind == .string else {
      throw Refusal(.badRequest, "\"\(place)lease\" must be a string, the token that get gave")
    }
    if members.contains(.condition) {
      throw Refusal(.badRequest, "\"\(place)lease\" beside \"\(place)if\": a fill is stored while its lease stands")
    }
    return try text(members[.lease], "\(place)lease")
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
      guard reader.take(UInt8(ascii: "\"")), let name = try? reader.string(),
        try text(name, "\(place)if").elementsEqual("version".utf8), reader.take(UInt8(ascii: ":")),
        let value = try? reader.value(),
        reader.take(UInt8(ascii: "}")), let version = value.wholeNumber(atMost: RequestLimits.maximumVersion)
      else { throw Refusal(.badRequest, problem) }
      return .version(version)
    }
    throw Refusal(.badRequest, problem)
  }
}

// The log's entries as the scripts write them, and everything else, which must be a gap.

import PannierWire
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct RedisRecordTests {
  @Test func keys() {
    for kind in ["set", "del", "soft", "touch", "filled"] {
      let record = parsed(
        "1732575271000000-42", ["k", kind, "ns", "quiz", "h", "boot", "o", "7", "key", "a", "key", ""])
      #expect(record?.incarnation == 1_732_575_271_000_000)
      #expect(record?.number == 42)
      #expect(record?.kind.rawValue == kind)
      #expect(record?.ns == bytes("quiz"))
      #expect(record?.host == bytes("boot"))
      #expect(record?.op == 7)
      #expect(record?.scope == .keys([bytes("a"), []]))
    }
  }

  @Test func groups() {
    for kind in ["clear", "softclear"] {
      #expect(parsed("1-2", head(kind) + ["g", "all"])?.scope == .all)
      #expect(parsed("1-2", head(kind) + ["g", "match", "m", "a*"])?.scope == .match(bytes("a*")))
      #expect(parsed("1-2", head(kind) + ["g", "tags", "t", "x", "t", "y"])?.scope == .tags([bytes("x"), bytes("y")]))
    }
    let ofAll = parsed("1-2", ["k", "clear", "ns", "", "h", "", "o", "0", "g", "all"])
    #expect(ofAll?.ns == [] && ofAll?.host == [])
  }

  @Test func anOpening() {
    let record = parsed("18446744073709551615-9007199254740992", ["k", "open", "h", "boot", "o", "0"])
    #expect(record?.incarnation == .max)
    #expect(record?.number == 1 << 53)
    #expect(record?.kind == .open)
    #expect(record?.scope == .keys([]))
  }

  @Test func keysAreAnyBytes() {
    let key: [UInt8] = [0, 0xFF, 0x0A, 0x22]
    let fields = (head("del") + ["key"]).map { Array($0.utf8) } + [key]
    #expect(parsed(Array("1-2".utf8), fields)?.scope == .keys([key]))
  }

  @Test(arguments: [
    "", "-", "1", "1-", "-1", "01-1", "1-01", "1-1-1", " 1-1", "1-1 ", "+1-1", "1-x", "18446744073709551616-1",
    "1-99999999999999999999",
  ])
  func noID(_ id: String) {
    #expect(parsed(id, head("del") + ["key", "a"]) == nil)
  }

  @Test(arguments: [
    [], ["k"], ["k", "del"], head("del"), head("set"), head("clear"), head("clear") + ["g"],
    head("rename") + ["key", "a"], head("Del") + ["key", "a"], head("del") + ["key"],
    head("del") + ["key", "a", "key"], head("del") + ["key", "a", "x", "y"], head("del") + ["g", "all"],
    head("clear") + ["key", "a"], head("clear") + ["g", "some"], head("clear") + ["g", "all", "m", "a"],
    head("clear") + ["g", "match"], head("clear") + ["g", "match", "m", "a", "m", "b"], head("clear") + ["g", "tags"],
    head("clear") + ["g", "tags", "m", "a"], ["k", "open", "h", "b", "o", "0", "key", "a"], ["k", "open"],
    ["k", "open", "ns", "q", "h", "b", "o", "0"], ["k", "del", "h", "b", "o", "0", "key", "a"],
    ["k", "del", "ns", "q", "h", "b", "o", "-1", "key", "a"], ["k", "del", "ns", "q", "h", "b", "o", "", "key", "a"],
    ["ns", "q", "k", "del", "h", "b", "o", "0", "key", "a"],
  ])
  func aGap(_ fields: [String]) {
    #expect(parsed("1-2", fields) == nil)
  }
}

private func head(_ kind: String) -> [String] { ["k", kind, "ns", "q", "h", "b", "o", "0"] }

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

private func parsed(_ id: String, _ fields: [String]) -> RedisRecord? { parsed(bytes(id), fields.map(bytes)) }

private func parsed(_ id: [UInt8], _ fields: [[UInt8]]) -> RedisRecord? {
  // All fields in one buffer, as a reply has them.
  let joined = fields.flatMap { $0 }
  return joined.withUnsafeBytes { buffer in
    var start = 0
    let slices = fields.map { field in
      defer { start += field.count }
      return Bytes(rebasing: buffer[start..<start + field.count])
    }
    return id.withUnsafeBytes { RedisRecord(id: $0, fields: slices) }
  }
}

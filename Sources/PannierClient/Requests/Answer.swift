// What an answer says, its value undecoded. It knows no ops beyond what distinguishes their answers' forms.

import NIOCore
import PannierWire

/// A whole answer without its end; with or without the id.
struct Answer: Sendable {
  let line: ByteBuffer
  /// The one that this client gave; nil: it has none of ours.
  let id: UInt64?
  /// Where the member after the id stands, or the first where there is none.
  private let body: Int

  init(line: ByteBuffer) {
    self.line = line
    let found = line.idAndRest
    id = found?.id
    body = found?.rest ?? line.readerIndex + 1
  }

  /// What a `get` of one key came to. An error is thrown as what it says, and so is what is no answer.
  func found() throws(PannierError) -> Found {
    if let value = plainValue { return Found(value: value) }
    // A quote inside of a string is escaped: so the first that stands so is the member's name.
    if let place = line.firstPlace(of: #","value":"#), line.starts(with: #""ok":true,"hit":"#, at: body) {
      let head = line.getSlice(at: line.readerIndex, length: place - line.readerIndex)
      let start = place + #","value":"#.utf8.count
      guard let head, let value = line.getSlice(at: start, length: line.writerIndex - 1 - start),
        let members = JSONValue(Array(head.readableBytesView) + [UInt8(ascii: "}")])
      else { throw notAnAnswer }
      return Found(members, value: value)
    }
    return Found(try members(), value: nil)
  }

  /// What a `get` of several keys came to, for each.
  func foundEach() throws(PannierError) -> [Found] {
    guard let items = try members()["items"]?.elements else { throw notAnAnswer }
    return items.map { Found($0, value: $0["value"].map { ByteBuffer(bytes: $0.bytes) }) }
  }

  /// What it says, where it is no error.
  func members() throws(PannierError) -> JSONValue {
    guard let object = JSONValue(line.readableBytesView), let isOK = object["ok"]?.bool else { throw notAnAnswer }
    if isOK { return object }
    let error = object["error"]
    let code = error?["code"]?.string.flatMap(PannierError.Code.init(rawValue:)) ?? .internal
    throw .refused(code, message: error?["message"]?.string ?? "")
  }

  func flag(_ name: String) throws(PannierError) -> Bool {
    guard let flag = try members()[name]?.bool else { throw notAnAnswer }
    return flag
  }

  func count(_ name: String) throws(PannierError) -> Int {
    guard let count = try members()[name]?.integer else { throw notAnAnswer }
    return count
  }

  /// Whether it says that the caller, who may have gone, was elected.
  var bringsLease: Bool { line.firstPlace(of: #""lease":""#) != nil }

  /// The value of a plain hit, as most answers to a `get` are.
  private var plainValue: ByteBuffer? {
    let head: StaticString = #""ok":true,"hit":true,"value":"#
    guard line.starts(with: head, at: body) else { return nil }
    let start = body + head.utf8CodeUnitCount
    return line.getSlice(at: start, length: line.writerIndex - 1 - start)
  }

  private var notAnAnswer: PannierError {
    .unavailable("what listens there is no sidecar: it says \(String(buffer: line).prefix(40))")
  }
}

/// What there is of one key.
struct Found: Sendable {
  var isHit: Bool
  var isStale = false
  /// With it the caller is to load the key, whether or not there is a value.
  var lease: String?
  /// Another loads it, and the wait is over.
  var isBusy = false
  /// A load has just failed, and no other is let try yet.
  var hasFailed = false
  /// JSON.
  var value: ByteBuffer?
  /// Of a hit, where it was asked for.
  var meta: JSONValue?

  init(value: ByteBuffer) {
    isHit = true
    self.value = value
  }

  init(_ object: JSONValue, value: ByteBuffer?) {
    isHit = false
    self.value = value
    meta = object
    for (name, member) in object.members ?? [] {
      switch name {
      case "hit": isHit = member.bool == true
      case "stale": isStale = member.bool == true
      case "lease": lease = member.string
      case "busy": isBusy = member.bool == true
      case "failed": hasFailed = member.bool == true
      default: break
      }
    }
  }
}

extension ByteBuffer {
  /// The id that the line begins with, where it is a number, and the place behind its comma.
  fileprivate var idAndRest: (id: UInt64, rest: Int)? {
    let head: StaticString = #"{"id":"#
    guard starts(with: head, at: readerIndex) else { return nil }
    return withUnsafeReadableBytes { bytes in
      var id: UInt64 = 0
      var place = head.utf8CodeUnitCount
      while place < bytes.count, bytes[place] != UInt8(ascii: ",") {
        let digit = bytes[place] &- UInt8(ascii: "0")
        let (product, isTooLarge) = id.multipliedReportingOverflow(by: 10)
        let (sum, isOver) = product.addingReportingOverflow(UInt64(digit))
        guard digit < 10, !isTooLarge, !isOver else { return nil }
        id = sum
        place += 1
      }
      return (id, readerIndex + place + 1)
    }
  }

  func starts(with text: StaticString, at place: Int) -> Bool {
    let count = text.utf8CodeUnitCount
    guard writerIndex - place >= count else { return false }
    return withUnsafeReadableBytes { bytes in
      let start = place - readerIndex
      for offset in 0..<count where bytes[start + offset] != text.utf8Start[offset] { return false }
      return true
    }
  }

  /// The index of the first byte of `text`.
  func firstPlace(of text: StaticString) -> Int? {
    let count = text.utf8CodeUnitCount
    return withUnsafeReadableBytes { bytes in
      var place = 0
      while place + count <= bytes.count {
        if bytes[place] == text.utf8Start[0],
          (1..<count).allSatisfy({ bytes[place + $0] == text.utf8Start[$0] })
        {
          return readerIndex + place
        }
        place += 1
      }
      return nil
    }
  }
}

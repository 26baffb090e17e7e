// One answer of the server, read as far as a command needs it. A `value` is sliced out as the bytes that came.

import PannierWire

struct Answer {
  let line: [UInt8]
  private let members: [(name: String, value: JSONValue)]

  init(_ line: [UInt8]) throws(Failure) {
    guard let members = JSONValue(line)?.members else {
      throw Failure("what answers there doesn't speak pannier's protocol: \(Printable.excerpt(line))")
    }
    self.line = line
    self.members = members
  }

  /// The error that the server answered with, or nil.
  var failure: Failure? {
    if self["ok"]?.bool == true { return nil }
    guard let error = self["error"], let code = error["code"]?.string else {
      return Failure("an answer that is neither good nor an error: \(Printable.excerpt(line))")
    }
    return Failure(Printable.line("\(code): \(error["message"]?.string ?? "")"))
  }

  subscript(name: String) -> JSONValue? {
    members.first { $0.name == name }?.value
  }

  func flag(_ name: String) throws(Failure) -> Bool { try needed(name, self[name]?.bool) }
  func integer(_ name: String) throws(Failure) -> Int { try needed(name, self[name]?.integer) }
  func string(_ name: String) throws(Failure) -> String { try needed(name, self[name]?.string) }
  func strings(_ name: String) throws(Failure) -> [String] {
    try needed(name, self[name]?.elements?.map { $0.string ?? $0.text })
  }
  func json(_ name: String) throws(Failure) -> JSONValue { try needed(name, self[name]) }

  private func needed<Value>(_ name: String, _ value: Value?) throws(Failure) -> Value {
    guard let value else { throw Failure("the answer has no proper \"\(name)\": \(Printable.excerpt(line))") }
    return value
  }
}

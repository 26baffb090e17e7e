// The files of protocol/vectors, which every client's tests run.

import Foundation

struct Vectors: Decodable {
  struct Vector: Decodable {
    /// Absent: JSON has the type itself.
    let kind: String?
    let value: JSON
    let spelled: String?
    let read: String?
    let written: String?
  }

  let values: [Vector]

  init(named name: String) throws {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = folder.appending(path: "protocol/vectors/\(name).json")
    self = try JSONDecoder().decode(Vectors.self, from: Data(contentsOf: file))
  }
}

/// Any JSON.
indirect enum JSON: Decodable, Hashable {
  case null
  case bool(Bool)
  case integer(UInt64)
  case negative(Int64)
  case string(String)
  case array([JSON])
  case object([String: JSON])

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if container.decodeNil() {
      self = .null
    } else if let bool = try? container.decode(Bool.self) {
      self = .bool(bool)
    } else if let integer = try? container.decode(UInt64.self) {
      self = .integer(integer)
    } else if let negative = try? container.decode(Int64.self) {
      self = .negative(negative)
    } else if let string = try? container.decode(String.self) {
      self = .string(string)
    } else if let array = try? container.decode([JSON].self) {
      self = .array(array)
    } else {
      self = .object(try container.decode([String: JSON].self))
    }
  }

  var text: String { if case .string(let text) = self { text } else { "" } }
}

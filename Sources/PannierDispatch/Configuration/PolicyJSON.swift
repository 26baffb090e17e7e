// Prints a policy as JSON text, in the order of the table of fields.

package import PannierCore

/// One object, no spaces: durations in seconds, sizes in bytes, `null` for none.
package func policyJSON(_ policy: Policy) -> [UInt8] {
  let members = PolicyField.names(in: "").compactMap { name -> (String, String)? in
    if let field = PolicyField.all.first(where: { $0.name == name }) { return (name, field.json(policy)) }
    let parts = PolicyField.all.filter { $0.section == name }.map { ($0.localName, $0.json(policy)) }
    // A strategy is none by itself.
    if parts.isEmpty { return nil }
    // All of it is off.
    return (name, parts.contains { $0.1 != "null" } ? object(parts) : "null")
  }
  return Array(object(members).utf8)
}

/// A value of a policy. Each type has one meaning there: `Int64` is always milliseconds, `Int` bytes or a count.
protocol JSONPrintable {
  var json: String { get }
}

/// A word.
extension JSONPrintable where Self: RawRepresentable, RawValue == String {
  var json: String { "\"\(rawValue)\"" }
}

extension Int64: JSONPrintable {
  var json: String { Durations.seconds(self) }
}

extension Int: JSONPrintable {
  var json: String { String(self) }
}

extension Double: JSONPrintable {
  var json: String { self == 0 ? "0" : String(self) }
}

extension EvictionKind: JSONPrintable {}
extension LeaseScope: JSONPrintable {}
extension LinkLoss: JSONPrintable {}
extension Mode: JSONPrintable {}
extension WriteKind: JSONPrintable {}

extension Optional: JSONPrintable where Wrapped: JSONPrintable {
  var json: String { map(\.json) ?? "null" }
}

extension [Rule]: JSONPrintable {
  var json: String { "[\(map(\.json).joined(separator: ","))]" }
}

extension Rule: JSONPrintable {
  var json: String {
    let overridden = PolicyField.all.compactMap { field in
      field.inRule?.json(overrides).map { (field.name, $0) }
    }
    return object([("match", jsonString(match.pattern))] + overridden)
  }
}

private func object(_ members: [(name: String, value: String)]) -> String {
  "{\(members.map { "\"\($0.name)\":\($0.value)" }.joined(separator: ","))}"
}

private func jsonString(_ utf8: some Sequence<UInt8>) -> String {
  var result = "\""
  for scalar in String(decoding: Array(utf8), as: UTF8.self).unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\u{0}"..<" ":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}

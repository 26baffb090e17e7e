// Looks up the host's users and groups by name. It may take as long as the host's name service does, so it is for start,
// reload and `check`, never for a request.

import Glibc

package enum Accounts {
  /// `text` is a number or a name; nil where the host has no such user. A number needn't be known to the host.
  package static func uid(_ text: String) -> UInt32? {
    number(text) ?? lookedUp(text, passwd(), { getpwnam_r(text, $0, $1, $2, $3) }, \.pw_uid)
  }

  package static func gid(_ text: String) -> UInt32? {
    number(text) ?? lookedUp(text, group(), { getgrnam_r(text, $0, $1, $2, $3) }, \.gr_gid)
  }

  /// The highest number means "no change" to the kernel and is nobody's.
  private static func number(_ text: String) -> UInt32? {
    guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
    return UInt32(text).flatMap { $0 == .max ? nil : $0 }
  }

  /// A group's members are part of its record, so a large one needs a large buffer.
  private static func lookedUp<Record>(
    _ name: String, _ empty: Record,
    _ lookUp: (
      UnsafeMutablePointer<Record>, UnsafeMutablePointer<CChar>, Int,
      UnsafeMutablePointer<UnsafeMutablePointer<Record>?>
    ) -> Int32,
    _ number: KeyPath<Record, UInt32>
  ) -> UInt32? {
    // C would end the name there, and "root\0x" is not root.
    guard !name.utf8.contains(0) else { return nil }
    var size = 1 << 12
    while size <= 1 << 22 {
      var record = empty
      var found: UnsafeMutablePointer<Record>?
      var buffer = [CChar](repeating: 0, count: size)
      let status = lookUp(&record, &buffer, size, &found)
      if status != ERANGE { return found.map { $0.pointee[keyPath: number] } }
      size *= 4
    }
    return nil
  }
}

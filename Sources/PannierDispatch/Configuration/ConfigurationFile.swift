// Reads a configuration file's text. It knows no YAML.

import Glibc

enum ConfigurationFile {
  /// Far beyond any configuration; what is larger is some other file.
  static let largestBytes = 1 << 20

  static func text(_ path: String, faults: inout FaultList) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return unreadable(errno, &faults) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while bytes.count <= largestBytes {
      let count = read(descriptor, &chunk, chunk.count)
      if count == 0 { break }
      if count > 0 {
        bytes += chunk[..<count]
      } else if errno != EINTR {
        return unreadable(errno, &faults)
      }
    }
    guard bytes.count <= largestBytes else {
      faults.add("a configuration file can have at most \(Sizes.text(largestBytes))")
      return nil
    }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      faults.add("it is not UTF-8", line: lineOfFirstFault(bytes))
      return nil
    }
    // A byte order mark says nothing here, and YAML would take it for part of the first name.
    return text.unicodeScalars.first == "\u{FEFF}" ? String(text.unicodeScalars.dropFirst()) : text
  }

  private static func unreadable(_ code: Int32, _ faults: inout FaultList) -> String? {
    faults.add("can't be read: \(String(cString: strerror(code)))")
    return nil
  }

  private static func lineOfFirstFault(_ bytes: [UInt8]) -> Int? {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.firstIndex { String(validating: $0, as: UTF8.self) == nil }.map { $0 + 1 }
  }
}

// How much memory the process has in RAM, as the kernel counts it.
// What it is used for it doesn't know.
internal import Glibc

package enum ResidentMemory {
  /// nil where /proc is not mounted.
  package static func bytes() -> Int? {
    guard let file = OwnedDescriptor(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) else { return nil }
    // Seven numbers of at most 20 digits; the whole of it comes with one read.
    var buffer = [UInt8](repeating: 0, count: 160)
    let count = read(file.number, &buffer, buffer.count)
    guard count > 0 else { return nil }
    return pages(buffer[..<count]).map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
  }

  /// The second number of the line: "size resident shared text lib data dt", in pages.
  private static func pages(_ line: ArraySlice<UInt8>) -> Int? {
    let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 2)
    guard fields.count > 1 else { return nil }
    return Int(String(decoding: fields[1], as: UTF8.self))
  }
}

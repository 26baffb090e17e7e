// Lines, however they arrive.

import NIOCore
import Testing

@testable import PannierClient

@Suite struct LineCutterTests {
  @Test(arguments: [1, 2, 3, 5, 8, 1000])
  func linesAreWhole(bytesAtATime: Int) {
    let lines = ["{\"ok\":true}", "", "a", String(repeating: "x", count: 300), "Zoë"]
    let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
    var cutter = LineCutter()
    var found: [String] = []
    for start in stride(from: 0, to: bytes.count, by: bytesAtATime) {
      var part = ByteBuffer(bytes: bytes[start..<min(start + bytesAtATime, bytes.count)])
      cutter.receive(&part)
      while let line = cutter.next() { found.append(String(buffer: line)) }
    }
    #expect(found == lines)
  }

  @Test func whatHasNoEndIsKept() {
    var cutter = LineCutter()
    var part = ByteBuffer(string: "a\nb")
    cutter.receive(&part)
    #expect(cutter.next().map { String(buffer: $0) } == "a")
    #expect(cutter.next() == nil)
    var rest = ByteBuffer(string: "c\n")
    cutter.receive(&rest)
    #expect(cutter.next().map { String(buffer: $0) } == "bc")
  }
}

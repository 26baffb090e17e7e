// What is left for the next start comes back as it was, or not at all.

import Glibc
import PannierCore
import PannierWire
import Testing

@testable import PannierDispatch
@testable import PannierServer

@Suite struct QueueFileTests {
  private static let changes = [
    change(.key(bytes("plain"))), change(.key(bytes("\"\\\n\u{0}\u{7f}é😀{\"ns\":1}"))),
    change(.key(bytes("k")), soft: true),
    change(.all), change(.all, ns: ""), change(.match(bytes("[a-z]*\\*"))),
    change(.tags([bytes("t"), bytes("\n")]), soft: true),
  ]

  private static func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

  private static func change(_ scope: LeftChange.Scope, ns: String = "n", soft: Bool = false) -> LeftChange {
    LeftChange(ns: bytes(ns), scope: scope, soft: soft)
  }

  private func encoded(_ changes: [LeftChange]) -> [UInt8] {
    var buffer = OutputBuffer()
    QueueLine.encode(changes, into: &buffer)
    return Array(buffer.bytes)
  }

  @Test func whatIsWrittenComesBack() throws {
    #expect(try QueueLine.decode(encoded(Self.changes)) == Self.changes)
    #expect(try QueueLine.decode(encoded([])) == [])
  }

  /// However much of it there is.
  @Test func whatIsCutOffIsRefused() {
    let whole = encoded(Self.changes)
    for count in 0..<whole.count {
      #expect(throws: QueueFileFault.self) { try QueueLine.decode(Array(whole[..<count])) }
    }
  }

  /// A byte that is another one is found, or says something else that is a change.
  @Test func whatIsDamagedBreaksNothing() {
    let whole = encoded(Self.changes)
    for place in whole.indices {
      for byte in [0, UInt8(ascii: "\""), UInt8(ascii: "{"), 0xFF, UInt8(ascii: "\n")] {
        var damaged = whole
        damaged[place] = byte
        let read = try? QueueLine.decode(damaged)
        #expect(read == nil || read?.count == Self.changes.count)
      }
    }
  }

  @Test func theFileIsItsOwnersAlone() throws {
    let scratch = Scratch()
    let file = QueueFile(besides: scratch.file("p.sock"))
    #expect(try file.read() == nil)
    for changes in [Self.changes, [Self.changes[0]]] {
      try file.write(changes)
      #expect(try file.read() == changes)
      #expect(permissions(file.path) == 0o600)
    }
    file.remove()
    #expect(try file.read() == nil)
  }

  @Test func aLinkIsNotFollowed() throws {
    let scratch = Scratch()
    let file = QueueFile(besides: scratch.file("p.sock"))
    let other = QueueFile(besides: scratch.file("other"))
    try other.write(Self.changes)
    #expect(symlink(other.path, file.path) == 0)
    #expect(throws: QueueFileFault.self) { try file.read() }
    #expect(file.setAside() == file.path + ".damaged")
    #expect(try other.read() == Self.changes)
  }
}

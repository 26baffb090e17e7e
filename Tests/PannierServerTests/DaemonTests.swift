// What starting would come to, found out without starting.

import PannierDispatch
import PannierServer
import Testing

@Suite struct DaemonTests {
  @Test func checkSeesWhatStandsWhereTheSocketWouldGo() throws {
    let scratch = Scratch()
    let file = scratch.file("pannier.yaml")
    for (path, kind) in [(scratch.path, "a directory"), (file, "a regular file")] {
      write("socket: {path: \(path)}\n", to: file)
      let faults = #expect(throws: ConfigurationFaults.self) { try Daemon.check(file: file) }
      #expect(faults?.faults.map(\.message) == ["socket.path: \"\(path)\" is \(kind), not a socket"])
    }
    write("socket: {path: \(scratch.file("nothing.sock"))}\n", to: file)
    #expect(try Daemon.check(file: file) == [])
  }
}

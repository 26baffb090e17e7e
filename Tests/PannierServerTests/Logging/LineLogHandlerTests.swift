// Log lines as an operator's tools read them.
import Glibc
import Logging
import Testing

@testable import PannierDispatch
@testable import PannierServer

/// The lines of one logger, and their time.
private final class Lines: @unchecked Sendable {
  var bytes: [[UInt8]] = []
  var text: [String] { bytes.map { String(decoding: $0, as: UTF8.self) } }
}

private func logger(_ format: LogFormat, _ lines: Lines, level: Logger.Level = .trace) -> Logger {
  Logger(label: "pannier") { _ in
    LineLogHandler(
      format: format, level: level, output: LogOutput { lines.bytes.append($0) },
      millisecondsSince1970: { 1_767_225_599_042 })
  }
}

@Suite struct LogLines {
  struct Case: Sendable {
    let message: String
    var metadata: Logger.Metadata = [:]
    let logfmt: String
    let json: String
  }

  @Test(arguments: [
    Case(message: "ready", logfmt: "msg=ready", json: #""msg":"ready""#),
    Case(message: "", logfmt: #"msg="""#, json: #""msg":"""#),
    Case(message: "serving on it", logfmt: #"msg="serving on it""#, json: #""msg":"serving on it""#),
    Case(message: "a=b", logfmt: #"msg="a=b""#, json: #""msg":"a=b""#),
    Case(message: #"say "hi""#, logfmt: #"msg="say \"hi\"""#, json: #""msg":"say \"hi\"""#),
    Case(message: #"C:\x"#, logfmt: #"msg="C:\\x""#, json: #""msg":"C:\\x""#),
    Case(
      message: "x\nlevel=error msg=forged", logfmt: #"msg="x\nlevel=error msg=forged""#,
      json: #""msg":"x\nlevel=error msg=forged""#),
    Case(
      message: "\u{0}\u{1b}[2J\r\t\u{7f}\u{9b}\u{2028}", logfmt: #"msg="\u0000\u001b[2J\r\t\u007f\u009b\u2028""#,
      json: #""msg":"\u0000\u001b[2J\r\t\u007f\u009b\u2028""#),
    Case(message: "Grüße🧺", logfmt: "msg=Grüße🧺", json: #""msg":"Grüße🧺""#),
    Case(message: "no\u{a0}break", logfmt: "msg=\"no\u{a0}break\"", json: "\"msg\":\"no\u{a0}break\""),
    Case(
      message: "m", metadata: ["path": "/run/p.sock", "connections": "3"],
      logfmt: "msg=m connections=3 path=/run/p.sock", json: #""msg":"m","connections":"3","path":"/run/p.sock""#),
    Case(
      message: "m", metadata: ["ts": "x", "level": "x", "msg": "x"], logfmt: "msg=m level_=x msg_=x ts_=x",
      json: #""msg":"m","level_":"x","msg_":"x","ts_":"x""#),
    Case(
      message: "m", metadata: ["a b=\"c\"\n": "x", "": "y"], logfmt: "msg=m _=y a_b__c__=x",
      json: #""msg":"m","":"y","a b=\"c\"\n":"x""#),
    Case(
      message: "m", metadata: ["peer": ["pid": "1", "groups": ["4", "5 6"]]],
      logfmt: #"msg=m peer.groups.0=4 peer.groups.1="5 6" peer.pid=1"#,
      json: #""msg":"m","peer":{"groups":["4","5 6"],"pid":"1"}"#),
    Case(
      message: "m", metadata: ["key": .bytes([0x61, 0xff, 0xc3, 0xbc, 0xc3])],
      logfmt: #"msg=m key="a\\xffü\\xc3""#, json: #""msg":"m","key":"a\\xffü\\xc3""#),
  ]) func table(row: Case) {
    let lines = Lines()
    logger(.logfmt, lines).warning("\(row.message)", metadata: row.metadata)
    logger(.json, lines).warning("\(row.message)", metadata: row.metadata)
    #expect(lines.text[0] == "ts=2025-12-31T23:59:59.042Z level=warning \(row.logfmt)\n")
    #expect(lines.text[1] == #"{"ts":"2025-12-31T23:59:59.042Z","level":"warning",\#(row.json)}"# + "\n")
  }

  /// Whatever a client sends, one event stays one line.
  @Test(arguments: LogFormat.allCases) func everyByteStaysOnItsLine(format: LogFormat) {
    let lines = Lines()
    for byte in 0...255 as ClosedRange<UInt8> {
      logger(format, lines).info("key", metadata: ["key": .bytes([byte]), LogText.readable([byte]): "x"])
    }
    #expect(lines.bytes.count == 256)
    for line in lines.bytes {
      #expect(line.last == 0x0a)
      #expect(line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7f })
    }
    #expect(Set(lines.text).count == 256)
  }

  @Test(arguments: Logger.Level.allCases) func lessThanTheLevelIsNotWritten(level: Logger.Level) {
    let lines = Lines()
    let logger = logger(.logfmt, lines, level: level)
    for each in Logger.Level.allCases { logger.log(level: each, "m") }
    let wanted = Logger.Level.allCases.filter { $0 >= level }
    #expect(lines.text == wanted.map { "ts=2025-12-31T23:59:59.042Z level=\($0) msg=m\n" })
  }

  @Test func theEventsOwnMetadataWins() {
    let lines = Lines()
    var logger = logger(.logfmt, lines)
    logger[metadataKey: "ns"] = "quiz"
    logger[metadataKey: "op"] = "get"
    logger.info("m", metadata: ["op": "set"])
    #expect(lines.text == ["ts=2025-12-31T23:59:59.042Z level=info msg=m ns=quiz op=set\n"])
    #expect(logger[metadataKey: "ns"] == "quiz")
  }

  @Test func anErrorIsAField() {
    let lines = Lines()
    logger(.logfmt, lines).error("m", error: SocketFault.live("/p"))
    #expect(lines.text == [#"ts=2025-12-31T23:59:59.042Z level=error msg=m error="another program serves /p""# + "\n"])
  }
}

@Suite struct LogTimes {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_001, "2000-02-29T00:00:00.001Z"),
      (1_709_251_199_999, "2024-02-29T23:59:59.999Z"), (4_102_444_800_000, "2100-01-01T00:00:00.000Z"),
    ] as [(Int64, String)]) func utc(milliseconds: Int64, text: String)
  {
    #expect(LogTime.rfc3339(millisecondsSince1970: milliseconds) == text)
  }

  @Test func theClockIsTheSystems() {
    let before = Int64(time(nil)) * 1000
    let now = LogTime.millisecondsSince1970()
    #expect(now >= before - 1000 && now <= before + 60_000)
  }
}

@Suite struct LogOutputs {
  /// A datagram socket keeps writes apart, so each can be counted.
  @Test func aLineIsOneWrite() {
    var ends: [Int32] = [0, 0]
    socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &ends)
    defer { for end in ends { close(end) } }
    let output = LogOutput(descriptor: ends[0])
    let lines = [Array("one\n".utf8), Array(repeating: 0x61, count: 20_000) + [0x0a]]
    for line in lines { output.write(line) }
    for line in lines {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(ends[1], &buffer, buffer.count, Int32(MSG_DONTWAIT))
      #expect(Array(buffer.prefix(max(0, count))) == line)
    }
  }

  @Test func whatIsNotTakenIsLostWithoutWaiting() {
    var ends: [Int32] = [0, 0]
    pipe(&ends)
    defer { for end in ends { close(end) } }
    _ = fcntl(ends[1], F_SETFL, O_NONBLOCK)
    let output = LogOutput(descriptor: ends[1])
    for _ in 0..<100 { output.write([UInt8](repeating: 0x61, count: 4096)) }
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    #expect(read(ends[0], &buffer, buffer.count) == 65_536)
    LogOutput(descriptor: -1).write([0x61])
  }
}

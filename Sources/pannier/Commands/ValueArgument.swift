// The VALUE of `set`: from the command line or standard input, checked to be JSON, and fitted into one line.

import Glibc
import PannierWire

enum ValueArgument {
  /// The value's JSON, byte for byte except that line feeds between its tokens become spaces: a request is one line.
  static func json(_ argument: String) throws(Failure) -> [UInt8] {
    let isFromInput = argument == "-"
    let text = isFromInput ? try standardInput() : Array(argument.utf8)
    guard String(validating: text, as: UTF8.self) != nil else { throw Failure("VALUE is not UTF-8 text") }
    guard let value = JSONValue(text) else {
      throw Failure(isFromInput ? "standard input is not one JSON value" : refusal(of: argument))
    }
    return value.line
  }

  /// Says the form that would have done: the argument as a JSON string, quoted for the shell.
  private static func refusal(of argument: String) -> String {
    // A longer one is no slip with quotes, and would fill the screen.
    guard argument.utf8.count <= 200 else {
      return "VALUE is not JSON, or nested deeper than \(JSONValue.maximumDepth) levels"
    }
    let string = String(decoding: RequestLine.json(argument), as: UTF8.self)
    let quoted = string.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''")
    return "VALUE is not JSON; did you mean '\(quoted)'?"
  }

  private static func standardInput() throws(Failure) -> [UInt8] {
    let chunk = 1 << 16
    var all: [UInt8] = []
    while true {
      var fault: Int32 = 0
      let taken = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, count in
        let result = read(STDIN_FILENO, buffer.baseAddress, chunk)
        if result < 0 { fault = errno }
        count = max(0, result)
      }
      if fault == EINTR { continue }
      if fault != 0 { throw Failure("cannot read standard input: \(systemReason(fault))") }
      if taken.isEmpty { return all }
      all += taken
    }
  }
}

// The process's arguments as text: checked to be UTF-8, and with negative numbers kept from being taken for options.

import ArgumentParser

enum Arguments {
  /// Stands before an argument such as `-5` while it is parsed, since the parser takes all that begins with a dash for
  /// an option. No argument can contain it by itself.
  private static let protection: Character = "\0"

  /// The arguments after the program's name. Swift's own list repairs what is not UTF-8, and would so name another key.
  static func given() throws(Failure) -> [String] {
    var arguments: [String] = []
    for position in 1..<max(1, Int(CommandLine.argc)) {
      guard let pointer = CommandLine.unsafeArgv[position] else { break }
      guard let text = String(validatingCString: pointer) else {
        throw Failure("argument \(position) is not UTF-8 text: \(Printable.line(String(cString: pointer)))")
      }
      arguments.append(protected(text))
    }
    return arguments
  }

  static func unprotected(_ argument: String) -> String {
    argument.filter { $0 != protection }
  }

  private static func protected(_ argument: String) -> String {
    let bytes = argument.utf8
    guard bytes.first == UInt8(ascii: "-"), let second = bytes.dropFirst().first,
      (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(second)
    else { return argument }
    return "\(protection)\(argument)"
  }
}

/// A word of the command line as it was given, negative numbers included. No argument is taken as a `String`: that would
/// have the protection in it.
struct Word: ExpressibleByArgument {
  let text: String

  init(argument: String) { text = Arguments.unprotected(argument) }
}

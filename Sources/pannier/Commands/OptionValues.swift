// Values of options that several commands take: a ttl, and lists with commas.

/// A duration, or `none` for a value that doesn't expire of itself.
struct TimeToLive {
  /// As the protocol has it: seconds, or null.
  let json: String

  init(_ argument: String) throws {
    json = argument == "none" ? "null" : try DurationArgument(argument).seconds
  }
}

/// `a,b`: tags can't hold a comma here.
struct TagList {
  let tags: [String]

  init(_ argument: String) throws {
    tags = try commaSeparated(argument, what: "tag")
  }
}

/// `set,delete`: kinds of events.
struct EventList {
  let events: [String]

  init(_ argument: String) throws {
    events = try commaSeparated(argument, what: "event")
  }
}

private func commaSeparated(_ argument: String, what: String) throws(Failure) -> [String] {
  let parts = Arguments.unprotected(argument).split(separator: ",", omittingEmptySubsequences: false).map(String.init)
  if parts.contains("") { throw Failure("between two commas, before the first and after the last, there is a \(what)") }
  return parts
}

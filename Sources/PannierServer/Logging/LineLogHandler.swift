// swift-log's way to our log lines: which fields a line has, and when it was.
// How a line is spelled and where it goes are its neighbours' matter.
package import Logging

/// Writes each event as one line of logfmt or JSON.
package struct LineLogHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?
  private let format: LogFormat
  private let output: LogOutput
  private let millisecondsSince1970: @Sendable () -> Int64

  /// - Parameter millisecondsSince1970: the wall clock; nil: the system's.
  package init(
    format: LogFormat = .logfmt, level: Logger.Level = .info, output: LogOutput = .standardError,
    millisecondsSince1970: (@Sendable () -> Int64)? = nil
  ) {
    self.format = format
    self.logLevel = level
    self.output = output
    self.millisecondsSince1970 = millisecondsSince1970 ?? { LogTime.millisecondsSince1970() }
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  /// What the event itself says goes before what the logger or its provider says.
  package func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let own = event.metadata { fields.merge(own) { $1 } }
    if let error = event.error, fields["error"] == nil { fields["error"] = "\(error)" }
    output.write(
      LogLine.bytes(
        format, millisecondsSince1970: millisecondsSince1970(), level: event.level.rawValue,
        message: event.message.description, metadata: fields))
  }
}

extension Logger.MetadataValue {
  /// Bytes that a client sent; those that are not UTF-8 stay distinguishable.
  package static func bytes(_ bytes: some Sequence<UInt8>) -> Self {
    .string(LogText.readable(bytes))
  }
}

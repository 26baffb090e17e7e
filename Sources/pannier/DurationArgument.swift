// Durations as people give them on the command line, in the protocol's seconds. How they are spelled is the
// configuration's to say.

import PannierDispatch

/// `250ms`, `10m`, `1h30m`, or a number of seconds.
struct DurationArgument {
  /// The protocol's spelling: seconds, with up to three decimals.
  let seconds: String

  init(_ argument: String) throws {
    let argument = Arguments.unprotected(argument)
    do throws(SettingRefusal) { seconds = Durations.seconds(try Durations.milliseconds(argument)) } catch {
      throw Failure(Printable.line(error.message))
    }
  }
}

// What memory may show without proof depends on the time that a turn begins with, and not on a timer that has run.

import Logging
import PannierCore
import PannierWire
import Testing

@testable import PannierDispatch

@Test func aTurnBeginsWithWhatItsTimeStillProves() throws {
  let (configuration, _) = try load("redis: unix:///nowhere\nnamespaces: {v: {on_link_loss: verify}}")
  let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  let dispatcher = Dispatcher(configuration: configuration, clock: .real, seed: 1, log: log)
  let ns = try #require(withBytes("v") { dispatcher.cache.namespace($0) })
  withBytes("k") { key in
    withBytes("1") { value in
      let caller = Caller(pid: 1, uid: 1)
      // Its link is down: what is set holds here.
      _ = dispatcher.cache.setShared(ns, Cache.NewValue(key: key, value: value), by: caller, now: dispatcher.now)
    }
  }
  dispatcher.cache.sharedProven(at: dispatcher.now, bound: 500)
  func shows() -> Bool {
    withBytes("v") { ns in
      withBytes("k") { dispatcher.cache.freshValue(ns, $0, seeks: false, now: dispatcher.now) != nil }
    }
  }
  dispatcher.setTime(499)
  #expect(shows())
  dispatcher.setTime(500)
  #expect(!shows())
}

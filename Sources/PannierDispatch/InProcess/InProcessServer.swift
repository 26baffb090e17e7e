// A dispatcher with clients and no sockets, for tests: everything between the bytes a client sends and those it gets, on a clock
// that stands still.

import Logging
package import PannierCore
import PannierWire

package final class InProcessServer {
  /// As little as a read may bring, so that long lines come in parts.
  private static let scratchBytes = 4096

  package let dispatcher: Dispatcher
  let scratch: UnsafeMutableRawBufferPointer

  /// `yaml`: a configuration.
  package init(_ yaml: String = "defaults: {jitter: 0}") throws(ConfigurationFaults) {
    let configuration = try Configuration.load(yaml: yaml)
    let log = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    dispatcher = Dispatcher(configuration: configuration, clock: .manual, seed: 1, log: log)
    scratch = .allocate(byteCount: Self.scratchBytes + LineFramer.padding, alignment: 64)
  }

  deinit { scratch.deallocate() }

  private struct Connected { weak var client: InProcessClient? }
  private var connected: [Connected] = []

  package func connect(as caller: Caller = Caller(pid: 1, uid: 1)) -> InProcessClient {
    let client = InProcessClient(self, Session(caller: caller, isAdmin: true))
    connected.removeAll { $0.client == nil }
    connected.append(Connected(client: client))
    return client
  }

  /// Everything that the loop would do between turns.
  package func settle() {
    while dispatcher.needsUpkeep { dispatcher.upkeep() }
    _ = dispatcher.takeDirty()
  }

  /// The turns, too, of clients that were answered out of theirs.
  func settleClients() {
    settle()
    while let next = connected.lazy.compactMap(\.client).first(where: { $0.session.hasTurn && $0.reads }) {
      next.work()
      settle()
    }
  }
}

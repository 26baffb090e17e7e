// A service in Swift beside the quiz application: they share a sidecar, and nothing else.

import Foundation
import Hummingbird
import Logging
import PannierClient

let environment = ProcessInfo.processInfo.environment
let logger = Logger(label: "quiz-board")
// Where the sidecar is says PANNIER_SOCKET.
let pannier = PannierClient(logger: logger)

let router = Router()
router.addRoutes(Board(pannier).routes)

let address: BindAddress =
  if let path = environment["BOARD_SOCKET"] { .unixDomainSocket(path: path) } else {
    .hostname("127.0.0.1", port: environment["BOARD_PORT"].flatMap { Int($0) } ?? 8081)
  }
let app = Application(
  router: router, configuration: .init(address: address), services: [pannier], logger: logger)
try await app.runService()

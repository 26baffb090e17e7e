// A client among a service's other services.
// snippet.hide
import Logging
import PannierClient
import ServiceLifecycle

// snippet.show
var configuration = PannierConfiguration()
configuration.requestTimeout = .milliseconds(300)
let logger = Logger(label: "shop")
let pannier = PannierClient(configuration: configuration, logger: logger)

/// Its connections are closed when the group shuts down, after the services that come behind it.
let group = ServiceGroup(services: [pannier], gracefulShutdownSignals: [.sigterm], logger: logger)

func serve() async throws { try await group.run() }

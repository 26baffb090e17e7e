import Foundation
import Logging
import PannierServer

let arguments = CommandLine.arguments
func value(_ name: String) -> String? { arguments.firstIndex(of: name).map { arguments[$0 + 1] } }
var flags: [Configuration.Flag] = []
if let path = value("--socket") { flags.append(.init(name: "--socket", path: "socket.path", value: path)) }
if let memory = value("--memory") { flags.append(.init(name: "--memory", path: "memory", value: memory)) }
let (configuration, _) = try Configuration.load(file: value("--config"), environment: [:], flags: flags)
let log = Logger(label: "pannier") { _ in LineLogHandler() }
let server = Server(configuration, testClock: arguments.contains("--test-clock"), log: log) { () throws(ConfigurationFaults) in try Configuration.load(file: value("--config"), environment: [:], flags: flags).0 }
try server.run()

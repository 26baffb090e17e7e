// The client's list of errors is the protocol's.

import PannierWire
import Testing

@testable import PannierClient

@Suite struct ErrorCodeTests {
  @Test func codesAreTheProtocols() {
    #expect(PannierError.Code.allCases.map(\.rawValue) == ErrorCode.allCases.map(\.rawValue))
  }
}

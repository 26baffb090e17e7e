// Values taken apart outside the path of a request.

import Testing

@testable import PannierWire

@Suite struct JSONValueTests {
  @Test func partsAreTheBytesThatWereWritten() throws {
    let value = try #require(JSONValue(#" { "a" : [ 1.50 , "x\u00e9\n" ,{}], "a":null ,"b\u0062":-0, "":[] } "#.utf8))
    #expect(value.text == #"{ "a" : [ 1.50 , "x\u00e9\n" ,{}], "a":null ,"b\u0062":-0, "":[] }"#)
    let members = try #require(value.members)
    #expect(members.map(\.name) == ["a", "a", "bb", ""])
    #expect(members.map(\.value.text) == [#"[ 1.50 , "x\u00e9\n" ,{}]"#, "null", "-0", "[]"])
    let elements = try #require(value["a"]?.elements)
    #expect(elements.map(\.text) == ["1.50", #""x\u00e9\n""#, "{}"])
    #expect(elements.map(\.string) == [nil, "xé\n", nil])
    #expect(elements.map(\.number) == [1.5, nil, nil])
    #expect(value["bb"]?.integer == 0)
    #expect(value[""]?.elements?.isEmpty == true)
    #expect(value["c"] == nil)
  }

  @Test func lineFeedsStandBetweenTokensOnly() throws {
    let value = try #require(JSONValue("\n{\n\"a\":\r\n1}\n".utf8))
    #expect(value.text == "{\n\"a\":\r\n1}")
    #expect(value.line == Array("{ \"a\":  1}".utf8))
    #expect(value["a"]?.integer == 1)
    #expect(JSONValue("\"a\nb\"".utf8) == nil)
  }

  @Test(arguments: ["", " ", "1 2", "{} x", "[1,]", "\"", "nul", "+1", "{\"a\":1", "\"\u{1}\""])
  func whatIsNotOneValueIsNone(_ text: String) {
    #expect(JSONValue(text.utf8) == nil)
  }

  @Test func nestingHasAnEnd() {
    let depth = JSONValue.maximumDepth
    let brackets = { (count: Int) in String(repeating: "[", count: count) + String(repeating: "]", count: count) }
    #expect(JSONValue(brackets(depth).utf8) != nil)
    #expect(JSONValue(brackets(depth + 1).utf8) == nil)
  }

  @Test func halfOfASurrogatePairIsNoText() {
    #expect(JSONValue(#""\ud800""#.utf8)?.string == nil)
    #expect(JSONValue(#""\ud800""#.utf8)?.text == #""\ud800""#)
  }
}

// Where Redis is, as people write it.
import Testing

@testable import PannierDispatch

@Suite struct RedisAddressTests {
  @Test(arguments: [
    ("redis://localhost", "redis://localhost:6379", 0),
    ("redis://cache.example:7000/2", "redis://cache.example:7000/2", 2),
    ("REDIS://10.0.0.1/", "redis://10.0.0.1:6379", 0), ("redis://[::1]", "redis://[::1]:6379", 0),
    ("redis://[fe80::1]:7000/15", "redis://[fe80::1]:7000/15", 15),
    ("redis://a:b@h/1", "redis://h:6379/1", 1), ("unix:///run/redis.sock", "unix:///run/redis.sock", 0),
    ("unix:///run/a%20b.sock?db=3", "unix:///run/a b.sock?db=3", 3), ("unix://redis.sock", "unix://redis.sock", 0),
  ]) func isRead(_ text: String, _ description: String, _ database: Int32) throws {
    let address = try RedisAddress(text)
    #expect("\(address)" == description)
    #expect(address.database == database)
  }

  @Test(arguments: [
    ("redis://:word@h", nil, "word"), ("redis://anna:word@h", "anna", "word"),
    ("redis://an%40na:w%2For%25d%3A@h", "an@na", "w/or%d:"), ("redis://:a:b@h", nil, "a:b"),
    ("redis://:w@rd@h", nil, "w@rd"),
  ]) func accounts(_ text: String, _ user: String?, _ password: String) throws {
    let address = try RedisAddress(text)
    #expect(address.user == user)
    #expect(address.password == Secret(password))
    #expect(address.place == .host("h", port: 6379))
  }

  @Test func noPasswordIsShown() throws {
    let address = try RedisAddress("redis://anna:s3cret@h")
    var dumped = ""
    dump(address, to: &dumped)
    dump(address.password, to: &dumped)
    for shown in ["\(address)", String(reflecting: address), "\(address.password as Any)", dumped] {
      #expect(!shown.contains("s3cret") && !shown.contains("115"))
    }
  }

  @Test(arguments: [
    ("localhost:6379", "it doesn't begin with redis:// or unix://"), ("", "it doesn't begin with redis:// or unix://"),
    ("http://h", "the scheme \"http\" is not known; expected redis:// or unix://"),
    (
      "rediss://anna:s3cret@h",
      "rediss:// is TLS, which Pannier doesn't speak: let stunnel connect to Redis, and name stunnel's own address here "
        + "as redis:// or unix://"
    ),
    ("redis://", "there is no host, as in redis://localhost:6379"),
    ("redis://:6379", "there is no host, as in redis://localhost:6379"),
    ("redis://h:port", "the port is \"port\"; expected a number from 1 to 65535"),
    ("redis://h:0", "the port is \"0\"; expected a number from 1 to 65535"),
    ("redis://h:65536", "the port is \"65536\"; expected a number from 1 to 65535"),
    ("redis://h:+1", "the port is \"+1\"; expected a number from 1 to 65535"),
    ("redis://h:", "the port is \"\"; expected a number from 1 to 65535"),
    ("redis://::1", "an IPv6 address stands in brackets, as in redis://[::1]:6379"),
    ("redis://[::1", "the address \"[::1\" has no ] at its end"),
    ("redis://[::1]7", "expected a port or nothing behind ], found \"7\""),
    ("redis://a b", "\"a b\" can't be a host's name"),
    ("redis://h/x", "the database is \"x\"; expected a number, as in /2 or ?db=2"),
    ("redis://h/-1", "the database is \"-1\"; expected a number, as in /2 or ?db=2"),
    ("redis://h/1/", "the database is \"1/\"; expected a number, as in /2 or ?db=2"),
    ("redis://h/1?db=2", "nothing may follow the database's number, as in redis://host:6379/2"),
    ("redis://anna@h", "a user needs a password: expected user:password@, or :password@ for the default user"),
    ("redis://anna:@h", "the password before @ is empty"),
    ("redis://:s3/cret@h", "a /, ? or # in the user's name or password is written %2F, %3F or %23"),
    ("redis://:s3?cret@h", "a /, ? or # in the user's name or password is written %2F, %3F or %23"),
    ("redis://:s3%cret@h", "in the password, % is not followed by two hexadecimal digits; % itself is written %25"),
    ("redis://:s3%ffcret@h", "the password is not UTF-8"),
    ("unix://", "no socket's path follows unix://, as in unix:///run/redis/redis.sock"),
    ("unix:///run/", "no socket's path follows unix://, as in unix:///run/redis/redis.sock"),
    ("unix:///a%00b", "no socket's path follows unix://, as in unix:///run/redis/redis.sock"),
    (
      "unix:///a?password=s3cret",
      "only ?db= and a number may follow the path, as in unix:///run/redis/redis.sock?db=2"
    ),
    ("unix:///a?db=", "the database is \"\"; expected a number, as in /2 or ?db=2"),
    (
      "unix:///" + String(repeating: "a", count: 106),
      "the socket's path is 107 bytes long, and at most 106 can be used"
    ),
  ]) func faults(_ text: String, _ message: String) {
    let fault = #expect(throws: RedisAddressFault.self) { try RedisAddress(text) }
    #expect(fault?.description == message)
    #expect(fault?.description.contains("s3") == false)
  }
}

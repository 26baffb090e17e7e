"""Commands of one request, each with the line it sends, a canned answer, and what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

from command import ERROR, MISS


@dataclass
class Case:
    """One command, the request it must send, the canned answer, and what comes of it."""

    command: list[str]
    request: str
    answer: str
    out: str
    status: int = 0
    err: str = ""
    stdin: bytes = b""


OK = '{"ok":true}'
STORED = '{"ok":true,"stored":true}'
POLICY = (
    '{"ok":true,"policy":{"ttl":300,"max_ttl":null,"rules":[{"match":"a*","ttl":5.5,"stale":5400}],"jitter":0.1,'
    '"negative_ttl":0.25,"stale":0,"refresh_ahead":null,"lease_timeout":30,"max_wait":1.5,"retry_after":5,'
    '"tiers":["memory","redis"],"memory_ttl":null,"write":"aside",'
    '"behind":{"interval":0.1,"max_pending":10000},"lease_scope":"host","on_link_loss":"serve","max_bytes":65536,'
    '"max_entries":null,"max_value_bytes":1048577,"eviction":"lru","compress":{"min_bytes":1024},"mode":"on"}}'
)
POLICY_LINES = """\
ttl: 5m
max_ttl: none
rules:
  - {match: 'a*', ttl: 5s500ms, stale: 1h30m}
jitter: 0.1
negative_ttl: 250ms
stale: 0
refresh_ahead: off
lease_timeout: 30s
max_wait: 1s500ms
retry_after: 5s
tiers: ["memory","redis"]
memory_ttl: none
write: aside
behind: {interval: 100ms, max_pending: 10000}
lease_scope: host
on_link_loss: serve
max_bytes: 64KiB
max_entries: none
max_value_bytes: 1048577
eviction: lru
compress: {min_bytes: 1KiB}
mode: on
"""
QUIZ = (
    '{"hits":10,"stale_hits":1,"misses":2,"misses_by":{"never_stored":1,"expired":0,"evicted":0,"deleted":1,"cleared":0,'
    '"unknown":0},"sets":4,"deletes":1,"clears":1,"cleared":3,"evictions":{"bytes":2,"entries":0,"memory":1},'
    '"expirations":6,"entries":12,"bytes":1258291,"max_bytes":67108864,"max_entries":null,"evicted_age":42.5,'
    '"leases":{"granted":5,"filled":3,"failed":1,"timed_out":0,"held":1},"waits":{"count":7,"now":2,"seconds":12.5},'
    '"loads":{"count":3,"p50":1.5,"p99":2.25,"seconds":5.25},"refreshes":1,"saved_seconds":17.5}'
)
IDLE = '{"hits":0,"misses":0,"sets":0,"entries":0,"bytes":0}'
STATS = (
    '{"ok":true,"uptime":3723.4,"connections":3,"resident":14680064,"memory":{"used":1258291,"limit":268435456},'
    '"requests":{"hello":0,"get":12,"set":4},"errors":{"bad_json":0,"bad_request":1},'
    '"loop_delay":{"p50":0.000085,"p99":0.0012,"max":1.5},"namespaces":{"quiz":' + QUIZ + ',"idle":' + IDLE + "}}"
)
STATS_LINES = """\
up           1h2m3s
connections  3
memory       1.2 MiB of 256.0 MiB (0.5%), resident 14.0 MiB
loop delay   p50 85us, p99 1.2ms, max 1.5s
requests     12 get, 4 set
errors       1 bad_request

namespace  hit rate  hits  stale  misses  sets  deletes  cleared  expired  evicted  entries     size
idle              -     0      0       0     0        0        0        0        0        0      0 B
quiz          83.3%    10      1       2     4        1        3        6        3       12  1.2 MiB
"""
REDIS = (
    '{"state":"down","since":61.25,"reason":"connection lost: gone","round_trip":{"p50":0.000085,"p99":0.0012},'
    '"in_flight":1,"hits":10,"misses":2,"voids":1,"shed":3,"timeouts":4,"errors":{"lost":2,"LOADING":5},"log":{"incarnation":"7",'
    '"position":99,"lag":2,"proven":0.25,"bound":1,"records":98,"gaps":1},"unproven":6,"queue":{"depth":7,"queued":9,'
    '"replayed":2},"behind":{"pending":3,"oldest":0.25,"waiting":1,"sent":40,"conflicts":2},"walk":{"namespaces":2,"scanned":1000,"removed":30,"running":true}}'
)
SHARED_STATS = STATS.replace('"loop_delay"', f'"redis":{REDIS},"loop_delay"').replace(
    '{"hits":10,', '{"hits":10,"hits_redis":4,"unproven":6,', 1
)
REDIS_LINES = """\
redis        down for 1m1s: connection lost: gone; round trip p50 85us, p99 1.2ms
redis reads  10 hits, 2 misses, 1 void, 3 shed, 4 timeouts; 1 in flight
redis errors 5 LOADING, 2 lost
redis log    at 99, 2 behind, proven 250.0ms ago; 98 records, 1 gaps; 6 unproven hits
redis queue  7 waiting, of 9 queued
redis behind 3 pending, the oldest for 250ms, 1 waiting for room; 40 sent, 2 sent again
redis walk   1000 values looked at, 30 removed; 2 namespaces to go
"""
QUIZ_LINES = """\
hit rate     83.3% of 12 keys asked for
hits         10, 1 of them stale
misses       2: 1 deleted, 1 never_stored
sets         4
deletes      1
clears       1, 3 entries cleared
expirations  6
evictions    3: 2 bytes, 1 memory
entries      12
size         1.2 MiB of 64MiB
evicted age  42s
leases       5 granted, 3 filled, 1 failed, 1 held
loads        3, p50 1.5s, p99 2.3s, 5.3s together
waits        7, 12.5s together, 2 now
refreshes    1
work saved   17s of loading
"""
CLAIMS = STATS.replace('"leases":', '"claims":{"won":2,"elsewhere":1},"leases":', 1)
CLAIMS_LINES = QUIZ_LINES + "of all hosts 2 loads won here, 1 times another host had the load\n"
FOUND_IN_REDIS = {
    "absent": "Redis has none either.",
    "void": "Redis still has a value, older than a change or a clear that took it in: nobody is shown it.",
    "queued": "A change of it waits for Redis to be told, and until then it isn't read there.",
    "unavailable": "Redis could not be asked.",
    "timeout": "Redis did not answer in time.",
    "other_key": "What Redis has there is no value that this version reads (other_key).",
}
META = '"ttl":299.25,"age":1.5,"tier":"memory","version":7,"tags":["a","b\\n"],"size":3,"value":'
META_LINES = "ttl: 4m59s\nage: 1s500ms\ntier: memory\nversion: 7\ntags: a, b\\n\nsize: 3 bytes\n"
# What decoding and encoding again would change: order, doubled names, spellings of numbers, escapes.
ODD = '{"b":1.00,"a":1e400,"b":123456789012345678901234567890,"c":"\\u00e9\\/é"}'
GET = '{"op":"get","ns":"quiz","key":"k"'
SET = '{"op":"set","ns":"quiz","key":"k"'

ONE_SHOTS = {
    "ping": Case(["ping"], '{"op":"ping"}', OK, "pong\n"),
    "get, hit": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":true,"value":' + ODD + "}", ODD + "\n"),
    "get, null": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":true,"value":null}', "null\n"),
    "get, miss": Case(["get", "quiz", "k"], GET + "}", '{"ok":true,"hit":false}', "", MISS, "miss\n"),
    "get, all options": Case(
        ["get", "quiz", "k", "--stale", "--max-age", "1m30s", "--meta"],
        GET + ',"stale":true,"max_age":90,"meta":true}',
        '{"ok":true,"hit":true,"stale":true,' + META + '"x"}',
        '"x"\n',
        err="stale: yes\n" + META_LINES,
    ),
    "get, a value that looks like an answer": Case(
        ["get", "quiz", "k"],
        GET + "}",
        '{"ok":true,"hit":true,"value":{"ok":false,"hit":false,"value":1}}',
        '{"ok":false,"hit":false,"value":1}\n',
    ),
    "get, json": Case(
        ["get", "quiz", "k", "--json"], GET + "}", '{"ok":true,"hit":false}', '{"ok":true,"hit":false}\n', MISS
    ),
    "get, a key of all kinds": Case(
        ["get", "quiz", 'a"\\\n\t\x01\x1f\x7fé😀'],
        '{"op":"get","ns":"quiz","key":"a\\"\\\\\\n\\t\\u0001\\u001f\x7fé😀"}',
        '{"ok":true,"hit":false}',
        "",
        MISS,
        "miss\n",
    ),
    "get, a key with a dash": Case(
        ["get", "quiz", "--", "--stale"],
        '{"op":"get","ns":"quiz","key":"--stale"}',
        '{"ok":true,"hit":true,"value":1}',
        "1\n",
    ),
    "get, a key that is a negative number": Case(
        ["get", "quiz", "-1"], '{"op":"get","ns":"quiz","key":"-1"}', '{"ok":true,"hit":true,"value":1}', "1\n"
    ),
    "get, an error": Case(
        ["get", "quiz", "k"],
        GET + "}",
        '{"ok":false,"error":{"code":"bad_request","message":"no\\nsuch thing"}}',
        "",
        ERROR,
        "pannier: bad_request: no\\nsuch thing\n",
    ),
    "get, an error, json": Case(
        ["get", "quiz", "k", "--json"],
        GET + "}",
        '{"ok":false,"error":{"code":"internal","message":"x"}}',
        '{"ok":false,"error":{"code":"internal","message":"x"}}\n',
        ERROR,
        "pannier: internal: x\n",
    ),
    "set": Case(["set", "quiz", "k", '{"a": 1}'], SET + ',"value":{"a": 1}}', STORED, "stored\n"),
    "set, all options": Case(
        ["set", "quiz", "k", "[1]", "--ttl", "1h0.5s", "--stale", "250ms", "--tags", "a,b c", "--if-version", "7"],
        SET + ',"ttl":3600.5,"stale":0.25,"tags":["a","b c"],"if":{"version":7},"value":[1]}',
        STORED,
        "stored\n",
    ),
    "set, ttl none, absent": Case(
        ["set", "quiz", "k", "-1.5e3", "--ttl", "none", "--if-absent"],
        SET + ',"ttl":null,"if":"absent","value":-1.5e3}',
        '{"ok":true,"stored":false,"reason":"exists"}',
        "not stored: there is a value already\n",
        MISS,
    ),
    "set, seconds, present": Case(
        ["set", "quiz", "k", "1", "--ttl", "0.1009", "--if-present"],
        SET + ',"ttl":0.1,"if":"present","value":1}',
        '{"ok":true,"stored":false,"reason":"missing"}',
        "not stored: there is no value\n",
        MISS,
    ),
    "set, disabled": Case(
        ["set", "quiz", "k", "1"],
        SET + ',"value":1}',
        '{"ok":true,"stored":false,"reason":"disabled"}',
        "not stored: the namespace's mode keeps sets from being stored\n",
        MISS,
    ),
    "set, from input of several lines": Case(
        ["set", "quiz", "k", "-"],
        SET + ',"value":{  "a":\t"\\n", "b": [  ]}}',
        STORED,
        "stored\n",
        stdin=b'\n{\r\n"a":\t"\\n",\n"b": [\n\n]}\n\n',
    ),
    "delete": Case(
        ["delete", "quiz", "k"], '{"op":"delete","ns":"quiz","key":"k"}', '{"ok":true,"deleted":1}', "deleted 1\n"
    ),
    "delete, several, softly": Case(
        ["delete", "quiz", "k", "l", "--soft"],
        '{"op":"delete","ns":"quiz","keys":["k","l"],"soft":true}',
        '{"ok":true,"deleted":0}',
        "deleted 0\n",
        MISS,
    ),
    "touch": Case(
        ["touch", "quiz", "k", "--ttl", "30m"],
        '{"op":"touch","ns":"quiz","key":"k","ttl":1800}',
        '{"ok":true,"touched":true}',
        "touched\n",
    ),
    "touch, nothing there": Case(
        ["touch", "quiz", "k"],
        '{"op":"touch","ns":"quiz","key":"k"}',
        '{"ok":true,"touched":false}',
        "not touched: there is no fresh value\n",
        MISS,
    ),
    "exists": Case(
        ["exists", "quiz", "k"], '{"op":"exists","ns":"quiz","key":"k"}', '{"ok":true,"exists":true}', "true\n"
    ),
    "exists not": Case(
        ["exists", "quiz", "k"], '{"op":"exists","ns":"quiz","key":"k"}', '{"ok":true,"exists":false}', "false\n", MISS
    ),
    "keys": Case(
        ["keys", "quiz", "--match", "a*"],
        '{"op":"keys","ns":"quiz","match":"a*"}',
        '{"ok":true,"keys":["a","a\\u0000\\u001b[2J\\n\\\\\\u0085","aé"]}',
        "a\na\\u{0}\\u{1b}[2J\\n\\\\\\u{85}\naé\n",
    ),
    "keys, none": Case(["keys", "quiz"], '{"op":"keys","ns":"quiz"}', '{"ok":true,"keys":[]}', ""),
    "clear": Case(
        ["clear", "*", "--match", "a*", "--soft"],
        '{"op":"clear","ns":"*","match":"a*","soft":true}',
        '{"ok":true,"cleared":12}',
        "cleared 12 entries\n",
    ),
    "clear, dry": Case(
        ["clear", "quiz", "--tags", "a,b", "--dry-run"],
        '{"op":"clear","ns":"quiz","tags":["a","b"],"dry_run":true}',
        '{"ok":true,"cleared":1,"sample":["k\\n"]}',
        "would clear 1 entry, for example: k\\n\n",
    ),
    "clear, tags that look like negative numbers": Case(
        ["clear", "quiz", "--tags", "-5,-6"],
        '{"op":"clear","ns":"quiz","tags":["-5","-6"]}',
        '{"ok":true,"cleared":0}',
        "cleared 0 entries\n",
    ),
    "clear, dry, nothing": Case(
        ["clear", "quiz", "--dry-run"],
        '{"op":"clear","ns":"quiz","dry_run":true}',
        '{"ok":true,"cleared":0,"sample":[]}',
        "would clear 0 entries\n",
    ),
    "explain, fresh": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"fresh","tier":"memory","age":12.345,"ttl":287.655,"tags":["a","b"],"version":7,"size":12,'
        '"filled_by":{"pid":33,"uid":1000}}',
        "fresh: stored 12s ago by process 33 of user 1000, fresh for another 4m47s. "
        "Version 7, 12 bytes in memory, tags a, b.\n",
    ),
    "explain, without end": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"fresh","tier":"memory","age":0,"ttl":null,"tags":[],"version":7,"size":1,'
        '"filled_by":{"pid":33,"uid":0}}',
        "fresh: stored 0 ago by process 33 of user 0, does not expire. Version 7, 1 byte in memory.\n",
    ),
    "explain, absent": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"absent","reason":"cleared","by":{"pid":33,"age":3,"match":"a*"}}',
        "absent: it was cleared 3s ago by process 33, match a*.\n",
        MISS,
    ),
    "explain, in redis": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"stale","tier":"redis","age":65,"ttl":0,"tags":["t"],"version":7,"size":2}',
        "stale: stored 1m5s ago. Version 7, 2 bytes in redis, tag t.\n",
    ),
    **{
        f"explain, redis: {word}": Case(
            ["explain", "quiz", "k"],
            '{"op":"explain","ns":"quiz","key":"k"}',
            f'{{"ok":true,"state":"absent","reason":"never_stored","redis":"{word}"}}',
            f"absent: it was never stored. {sentence}\n",
            MISS,
        )
        for word, sentence in FOUND_IN_REDIS.items()
    },
    "explain, being loaded": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"absent","reason":"expired","lease":{"age":4.25,"pid":33,"waiting":2}}',
        "absent: it expired. Process 33 has been loading it for 4s200ms, and 2 wait for it.\n",
        MISS,
    ),
    "explain, unknown": Case(
        ["explain", "quiz", "k"],
        '{"op":"explain","ns":"quiz","key":"k"}',
        '{"ok":true,"state":"absent","reason":"unknown"}',
        "absent: why is no longer known.\n",
        MISS,
    ),
    "policy": Case(["policy", "quiz"], '{"op":"policy","ns":"quiz"}', POLICY, POLICY_LINES),
    "policy, changed": Case(
        ["policy", "quiz", "ttl=10m", "stale=5", "max_bytes=null", 'rules=[{"match":"a*"}]', "mode=on", "jitter=a=b"],
        '{"op":"policy","ns":"quiz","set":{"ttl":"10m","stale":5,"max_bytes":null,"rules":[{"match":"a*"}],'
        '"mode":"on","jitter":"a=b"}}',
        POLICY,
        POLICY_LINES,
    ),
    "policy, changed as in the file": Case(
        [
            *("policy", "quiz", "mode={a: [], b}"),
            "rules=[{match: 'é\\*', ttl: 5, max_ttl: null}, {\"match\":b*, stale: 1h30m}]",
        ],
        '{"op":"policy","ns":"quiz","set":{"mode":{"a":[],"b":null},"rules":[{"match":"é\\\\*","ttl":"5","max_ttl":null},'
        '{"match":"b*","stale":"1h30m"}]}}',
        POLICY,
        POLICY_LINES,
    ),
    "stats": Case(["stats"], '{"op":"stats"}', STATS, STATS_LINES),
    "stats with redis": Case(
        ["stats"], '{"op":"stats"}', SHARED_STATS, STATS_LINES.replace("\n\n", f"\n{REDIS_LINES}\n")
    ),
    "stats of one with redis": Case(
        ["stats", "quiz"],
        '{"op":"stats","ns":"quiz"}',
        SHARED_STATS,
        QUIZ_LINES.replace("of them stale", "of them stale; 6 from memory, 4 from redis; 6 unproven"),
    ),
    "stats of one whose leases are all hosts'": Case(
        ["stats", "quiz"], '{"op":"stats","ns":"quiz"}', CLAIMS, CLAIMS_LINES
    ),
    "stats of one": Case(["stats", "quiz"], '{"op":"stats","ns":"quiz"}', STATS, QUIZ_LINES),
    "stats of none": Case(
        ["stats", "no"], '{"op":"stats","ns":"no"}', '{"ok":true,"namespaces":{}}', "no namespace no yet\n"
    ),
    "an answer that makes no sense": Case(
        ["exists", "quiz", "k"],
        '{"op":"exists","ns":"quiz","key":"k"}',
        '{"ok":true}',
        "",
        ERROR,
        'pannier: the answer has no proper "exists": {"ok":true}\n',
    ),
    "no pannier at all": Case(
        ["ping"],
        '{"op":"ping"}',
        "HTTP/1.1 400 Bad Request",
        "",
        ERROR,
        "pannier: what answers there doesn't speak pannier's protocol: HTTP/1.1 400 Bad Request\n",
    ),
}

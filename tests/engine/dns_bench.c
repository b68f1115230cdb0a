#include "dns_bench.h"

#include <string.h>

const char *const zone[] = {
    "example.org 600 SOA ns.example.org admin.example.org 7 3600 600 86400 60",
    "example.org 300 MX 10 mx1.example.org",
    "example.org 300 MX 20 mx2.example.org",
    "example.org 300 TXT \"v=spf1 \" \"-all\"",
    "mx1.example.org 300 A 192.0.2.1",
    "mx1.example.org 300 AAAA 2001:db8::1",
    "alias.example.org 300 CNAME mx1.example.org",
    "loop1.example.org 300 CNAME loop2.example.org",
    "loop2.example.org 300 CNAME loop1.example.org",
    "null.example.org 300 MX 0 .",
    NULL,
};

const struct fake_dns_rule bad_rules[] = {
    {"servfail.example.org", "MX", {{FAKE_DNS_RCODE, 2, "no keys", 9, false}}},
    {"refused.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 5}}},
    {"notauth.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 9}}},
    {"formerr.example.org", "MX", {{.act = FAKE_DNS_RCODE, .arg = 1}}},
    {"bare.example.org", "MX", {{.act = FAKE_DNS_RCODE_BARE, .arg = 2}}},
    {"cut.example.org", "MX", {{.act = FAKE_DNS_CUT, .arg = 1}}},
    {"pointers.example.org", "MX", {{.act = FAKE_DNS_POINTER_LOOP}}},
    {"referral.example.org", "MX", {{.act = FAKE_DNS_REFERRAL}}},
    {"silent.example.org", "MX", {{.act = FAKE_DNS_SILENCE}}},
    {"wrong-id.example.org", "MX", {{.act = FAKE_DNS_WRONG_ID}}},
    {"garbage.example.org", "MX", {{.act = FAKE_DNS_GARBAGE}}},
    {"tcp-close.example.org", "MX", {{.act = FAKE_DNS_TCP_CLOSE}}},
    {"tcp-reset.example.org", "MX", {{.act = FAKE_DNS_TCP_RESET}}},
    {"tcp-silent.example.org", "MX", {{.act = FAKE_DNS_TCP_SILENCE}}},
    {"tcp-short5.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 5}}},
    {"tcp-short40.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 40}}},
    {"tcp-short50.example.org", "MX", {{.act = FAKE_DNS_TCP_SHORT_PREFIX, .arg = 50}}},
    {"tcp-long.example.org", "MX", {{.act = FAKE_DNS_TCP_LONG_PREFIX, .arg = 1}}},
    {"still-tc.example.org", "MX", {{.act = FAKE_DNS_STILL_TC}}},
    {"tcp-drip.example.org", "MX", {{.act = FAKE_DNS_TCP_DRIP}}},
    {"truncated.example.org", "MX", {{.act = FAKE_DNS_TRUNCATE}}},
    {NULL, NULL, {{.act = FAKE_DNS_END}}},
};

void bench_open(struct bench *b, const struct fake_dns_config *fake, int timeout_ms)
{
    memset(b, 0, sizeof(*b));
    assert_int_equal(net_system_open(&b->net, NULL), ST_OK);
    assert_int_equal(cancel_init(&b->cancel), ST_OK);
    b->fake = fake_dns_start(fake);
    struct dns_config config = {.server_count = 1, .timeout_ms = timeout_ms};
    config.servers[0] = loopback(fake_dns_port(b->fake));
    dns_init(&b->dns, b->net, &b->cancel, &config);
}

void bench_close(struct bench *b)
{
    fake_dns_stop(b->fake);
    cancel_fini(&b->cancel);
    net_network_close(b->net);
}

void bench_open_crooked(struct bench *b, struct crooked *n, const struct fake_dns_config *fake)
{
    bench_open(b, fake, LONG_MS);
    crooked_init(n, b->net, fake_dns_port(b->fake));
    dns_init(&b->dns, &n->base, &b->cancel, &(struct dns_config){.timeout_ms = LONG_MS});
}

struct dns_answer bench_ask(struct bench *b, const char *name, uint16_t type)
{
    struct dns_answer answer;
    assert_int_equal(dns_ask(&b->dns, name, type, &answer), ST_OK);
    return answer;
}

size_t bench_seen(struct fake_dns *f, struct fake_dns_seen *out, size_t max)
{
    size_t count = fake_dns_seen(f, out, max);
    assert_true(count <= max);
    return count;
}

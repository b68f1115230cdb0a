#include "dns_msg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "packet.h"

#define REPLY 0x8180u      /* QR RD RA */
#define FROM_OWNER 0x8500u /* QR AA RD, no recursion offered */
#define NAME "example.org"

/* Large; tests are single-threaded. */
static struct packet *packet_new(void)
{
    struct packet *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    return k;
}

static void parse_bytes(struct dns_answer *answer, const void *p, size_t len, const char *name,
                        uint16_t type)
{
    struct guarded g = guarded_copy(p, len);
    dns_answer_init(answer);
    assert_int_equal(dns_msg_parse(answer, g.p, g.len, name, type), ST_OK);
    guarded_free(&g);
}

static void parse(struct dns_answer *answer, const struct packet *k, uint16_t type)
{
    parse_bytes(answer, k->p, k->len, NAME, type);
}

static enum dns_result result_of(const struct packet *k, const char *name, uint16_t type)
{
    struct dns_answer answer;
    parse_bytes(&answer, k->p, k->len, name, type);
    enum dns_result result = answer.result;
    if (result == DNS_MALFORMED) {
        assert_int_equal(answer.count, 0);
        assert_null(answer.records);
        assert_null(answer.authority);
    }
    dns_answer_free(&answer);
    return result;
}

static void test_query(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 512);
    assert_int_equal(dns_msg_query(&b, 0xbeef, NAME, DNS_MX, DNS_CLASS_IN, true), ST_OK);
    static const uint8_t want[] = {
        0xbe, 0xef, 0x01, 0x10, 0,    1,   0,   0,    0, 0,   0,   1,      /* header */
        7,    'e',  'x',  'a',  'm',  'p', 'l', 'e',  3, 'o', 'r', 'g', 0, /* */
        0,    15,   0,    1,                                               /* question */
        0,    0,    41,   0x04, 0xd0, 0,   0,   0x80, 0, 0,   0};          /* OPT, DO */
    assert_int_equal(b.len, sizeof(want));
    assert_memory_equal(b.p, want, sizeof(want));
    dns_msg_drop_edns(&b);
    assert_int_equal(b.len, sizeof(want) - 11);
    assert_int_equal(b.p[11], 0);
    dns_msg_drop_edns(&b); /* nothing left to drop */
    assert_int_equal(b.len, sizeof(want) - 11);

    buf_clear(&b);
    assert_int_equal(dns_msg_query(&b, 1, "a..b", DNS_A, DNS_CLASS_IN, false), ST_INVALID);
    assert_int_equal(dns_msg_query(&b, 1, "", DNS_A, DNS_CLASS_IN, false), ST_INVALID);
    assert_int_equal(b.len, 0);
    assert_int_equal(dns_msg_query(&b, 1, "id.server", DNS_TXT, DNS_CLASS_CH, false), ST_OK);
    assert_int_equal(b.p[3] & 0x10, 0);
    assert_int_equal(b.p[b.len - 12], DNS_CLASS_CH);
    buf_free(&b);

    buf_init(&b, 20);
    assert_int_equal(dns_msg_query(&b, 1, NAME, DNS_A, DNS_CLASS_IN, false), ST_LIMIT);
    buf_free(&b);
}

static bool is_reply(const struct packet *k, uint16_t id, const char *name, uint16_t type,
                     uint16_t class)
{
    struct guarded g = guarded_copy(k->p, k->len);
    bool yes = dns_msg_is_reply(g.p, g.len, id, name, type, class);
    guarded_free(&g);
    return yes;
}

static void test_is_reply(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    packet_begin(k, REPLY, "ExAmple.ORG", DNS_MX);
    assert_true(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));
    assert_true(is_reply(k, PACKET_ID, "example.org.", DNS_MX, DNS_CLASS_IN));
    assert_true(is_reply(k, PACKET_ID, "\\101x\\097mple.org", DNS_MX, DNS_CLASS_IN)); /* decimal */
    assert_false(is_reply(k, PACKET_ID + 1, NAME, DNS_MX, DNS_CLASS_IN));
    assert_false(is_reply(k, PACKET_ID, "example.com", DNS_MX, DNS_CLASS_IN));
    assert_false(is_reply(k, PACKET_ID, "www.example.org", DNS_MX, DNS_CLASS_IN));
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_A, DNS_CLASS_IN));
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_CH));
    for (size_t len = 0; len < k->len; len++) {
        struct guarded g = guarded_copy(k->p, len);
        assert_false(dns_msg_is_reply(g.p, g.len, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));
        guarded_free(&g);
    }

    packet_begin(k, 0x0100, NAME, DNS_MX); /* a question, not a reply */
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));
    packet_begin(k, REPLY | 0x2000, NAME, DNS_MX); /* opcode NOTIFY */
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));
    packet_begin(k, REPLY, NAME, DNS_MX);
    packet_set16(k, 4, 2);
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));
    packet_begin(k, REPLY, NAME, DNS_MX);
    packet_set16(k, 12, 0xc00c); /* the question's name points to itself */
    assert_false(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN));

    /* A bare header: an error is a reply, "no such name" needs the name. */
    static const struct {
        unsigned rcode;
        bool reply;
    } bare[] = {{0, false}, {1, true}, {2, true}, {3, false}, {4, true}, {5, true}};
    for (size_t i = 0; i < ARRAY_LEN(bare); i++) {
        packet_begin(k, REPLY | bare[i].rcode, NAME, DNS_MX);
        packet_set16(k, 4, 0);
        k->len = 12;
        assert_int_equal(is_reply(k, PACKET_ID, NAME, DNS_MX, DNS_CLASS_IN), bare[i].reply);
    }
    free(k);
}

static void test_types(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;

    packet_begin(k, 0x85a0, NAME, DNS_MX); /* AA RA AD */
    put_pointer(k, 12);
    rr_begin(k, SECTION_ANSWER, DNS_MX, 1, 3600);
    put16(k, 65535);
    put_label(k, "MX1", 3);
    put_pointer(k, 12);
    rr_end(k);
    put_mx(k, "EXAMPLE.org", 10, "mx2.example.net");
    put_a(k, "mx1.example.org", 0xc0000201); /* not what was asked for */
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.rcode, 0);
    assert_true(a.authoritative && a.authentic && !a.truncated);
    assert_int_equal(a.ede, -1);
    assert_int_equal(a.count, 2);
    assert_string_equal(a.records[0].owner, NAME);
    assert_int_equal(a.records[0].ttl, 3600);
    assert_int_equal(a.records[0].u.mx.preference, 65535);
    assert_string_equal(a.records[0].u.mx.exchange, "MX1.example.org");
    assert_string_equal(a.records[1].u.mx.exchange, "mx2.example.net");
    assert_string_equal(a.final_name, NAME);
    assert_int_equal(a.cnames, 0);
    dns_answer_free(&a);
    dns_answer_free(&a); /* twice is harmless */

    packet_begin(k, REPLY, NAME, DNS_A);
    put_a(k, NAME, 0xc0000219);
    parse(&a, k, DNS_A);
    char text[NET_ADDRESS_TEXT];
    assert_int_equal(a.count, 1);
    net_address_format(&a.records[0].u.address, text, sizeof(text));
    assert_string_equal(text, "192.0.2.25");
    assert_int_equal(a.records[0].u.address.port, 0);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_AAAA);
    rr_owned(k, NAME, DNS_AAAA);
    put_bytes(k, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x19", 16);
    rr_end(k);
    parse(&a, k, DNS_AAAA);
    net_address_format(&a.records[0].u.address, text, sizeof(text));
    assert_string_equal(text, "2001:db8::19");
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_TXT);
    rr_owned(k, NAME, DNS_TXT);
    put_label(k, "v=spf1 ", 7);
    put_label(k, "", 0);
    put_label(k, "\x1b[2J\0-all", 9);
    rr_end(k);
    parse(&a, k, DNS_TXT);
    assert_int_equal(a.records[0].u.txt.len, 16);
    assert_memory_equal(a.records[0].u.txt.text, "v=spf1 \x1b[2J\0-all", 17);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_SRV);
    rr_owned(k, NAME, DNS_SRV);
    put16(k, 1);
    put16(k, 2);
    put16(k, 587);
    put_name(k, "mail.example.org");
    rr_end(k);
    parse(&a, k, DNS_SRV);
    assert_int_equal(a.records[0].u.srv.priority, 1);
    assert_int_equal(a.records[0].u.srv.weight, 2);
    assert_int_equal(a.records[0].u.srv.port, 587);
    assert_string_equal(a.records[0].u.srv.target, "mail.example.org");
    dns_answer_free(&a);

    static const uint16_t named[] = {DNS_NS, DNS_PTR, DNS_CNAME};
    for (size_t i = 0; i < ARRAY_LEN(named); i++) {
        packet_begin(k, REPLY, NAME, named[i]);
        rr_owned(k, NAME, named[i]);
        put_name(k, "target.example.org");
        rr_end(k);
        parse(&a, k, named[i]);
        assert_int_equal(a.result, DNS_ANSWER);
        assert_string_equal(a.records[0].u.name, "target.example.org");
        assert_int_equal(a.cnames, 0); /* a CNAME that was asked for is not followed */
        dns_answer_free(&a);
    }

    packet_begin(k, REPLY, NAME, DNS_SOA);
    rr_owned(k, NAME, DNS_SOA);
    put_name(k, "ns.example.org");
    put_label(k, "first.last", 10);
    put_pointer(k, 12);
    put32(k, 4294967295u);
    put32(k, 0);
    put32(k, 0);
    put32(k, 0);
    put32(k, 61);
    rr_end(k);
    parse(&a, k, DNS_SOA);
    assert_string_equal(a.records[0].u.soa.mname, "ns.example.org");
    assert_string_equal(a.records[0].u.soa.rname, "first\\.last.example.org");
    assert_int_equal(a.records[0].u.soa.serial, 4294967295u);
    assert_int_equal(a.records[0].u.soa.minimum, 61);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_TLSA);
    rr_owned(k, NAME, DNS_TLSA);
    put_bytes(k, "\3\1\1hash", 7);
    rr_end(k);
    rr_owned(k, NAME, DNS_TLSA); /* empty RDATA of a type that we do not read */
    rr_end(k);
    parse(&a, k, DNS_TLSA);
    assert_int_equal(a.count, 2);
    assert_int_equal(a.records[0].u.raw.len, 7);
    assert_memory_equal(a.records[0].u.raw.bytes, "\3\1\1hash", 7);
    assert_int_equal(a.records[1].u.raw.len, 0);
    dns_answer_free(&a);
    free(k);
}

static void test_class(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    packet_begin(k, REPLY, NAME, DNS_TXT);
    packet_set16(k, k->len - 2, DNS_CLASS_CH);
    put_name(k, NAME);
    rr_begin(k, SECTION_ANSWER, DNS_TXT, DNS_CLASS_CH, 0);
    put_label(k, "yes", 3);
    rr_end(k);
    put_name(k, NAME);
    rr_begin(k, SECTION_ANSWER, DNS_TXT, DNS_CLASS_IN, 0);
    put_label(k, "no", 2);
    rr_end(k);
    parse(&a, k, DNS_TXT);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.records[0].u.txt.text, "yes");
    dns_answer_free(&a);
    free(k);
}

static void test_null_mx(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    packet_begin(k, REPLY, NAME, DNS_MX);
    put_mx(k, NAME, 0, "");
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.count, 1);
    assert_string_equal(a.records[0].u.mx.exchange, ".");
    dns_answer_free(&a);

    packet_begin(k, REPLY, "", DNS_NS); /* the root as question and owner */
    rr_owned(k, "", DNS_NS);
    put_name(k, "a.root-servers.net");
    rr_end(k);
    parse_bytes(&a, k->p, k->len, ".", DNS_NS);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_string_equal(a.records[0].owner, ".");
    assert_string_equal(a.final_name, ".");
    dns_answer_free(&a);
    free(k);
}

static void test_hostile_names(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    packet_begin(k, REPLY, NAME, DNS_PTR);
    rr_owned(k, NAME, DNS_PTR);
    put_label(k, "\x1b]0;x\x07\0\"\\ .\xff\n", 13);
    put_name(k, "example.org");
    rr_end(k);
    parse(&a, k, DNS_PTR);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_string_equal(a.records[0].u.name,
                        "\\027]0\\;x\\007\\000\\\"\\\\\\032\\.\\255\\010.example.org");
    for (const char *p = a.records[0].u.name; *p != '\0'; p++) {
        assert_in_range((unsigned char)*p, 0x21, 0x7e);
    }
    assert_false(dns_name_is_host(a.records[0].u.name, true));
    dns_answer_free(&a);
    free(k);
}

static void test_cname_chain(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    char from[32], to[32];

    /* Chains of 1, 10 (the limit), 11 and 20 links, in the worst order. */
    static const struct {
        unsigned links;
        enum dns_result result;
    } chains[] = {{1, DNS_ANSWER}, {10, DNS_ANSWER}, {11, DNS_CNAME_LOOP}, {20, DNS_CNAME_LOOP}};
    for (size_t c = 0; c < ARRAY_LEN(chains); c++) {
        packet_begin(k, REPLY, "n0", DNS_A);
        snprintf(to, sizeof(to), "n%u", chains[c].links);
        put_a(k, to, 0xc0000201);
        put_a(k, "elsewhere", 0xc0000202);
        for (unsigned i = chains[c].links; i-- > 0;) {
            snprintf(from, sizeof(from), "n%u", i);
            snprintf(to, sizeof(to), "N%u", i + 1);
            put_cname(k, from, to);
        }
        parse_bytes(&a, k->p, k->len, "n0", DNS_A);
        assert_int_equal(a.result, chains[c].result);
        if (chains[c].result == DNS_ANSWER) {
            assert_int_equal(a.cnames, chains[c].links);
            assert_int_equal(a.count, 1);
            snprintf(to, sizeof(to), "N%u", chains[c].links);
            assert_string_equal(a.final_name, to);
            assert_int_equal(a.records[0].u.address.bytes[3], 1);
        } else {
            assert_int_equal(a.cnames, DNS_CNAME_MAX);
            assert_int_equal(a.count, 0);
        }
        dns_answer_free(&a);
    }

    packet_begin(k, REPLY, NAME, DNS_A);
    put_cname(k, NAME, "b.example.org");
    put_cname(k, "b.example.org", "EXAMPLE.org");
    parse(&a, k, DNS_A);
    assert_int_equal(a.result, DNS_CNAME_LOOP);
    assert_int_equal(a.cnames, 2);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_A);
    put_cname(k, NAME, NAME);
    assert_int_equal(result_of(k, NAME, DNS_A), DNS_CNAME_LOOP);

    /* The chain ends at a name that exists without the type, or does not exist at all. */
    packet_begin(k, REPLY, NAME, DNS_A);
    put_cname(k, NAME, "b.example.org");
    put_soa(k, "example.org");
    parse(&a, k, DNS_A);
    assert_int_equal(a.result, DNS_NODATA);
    assert_string_equal(a.final_name, "b.example.org");
    dns_answer_free(&a);
    packet_begin(k, REPLY | 3, NAME, DNS_A);
    put_cname(k, NAME, "gone.example.org");
    put_soa(k, "example.org");
    parse(&a, k, DNS_A);
    assert_int_equal(a.result, DNS_NXDOMAIN);
    assert_string_equal(a.final_name, "gone.example.org");
    assert_int_equal(a.cnames, 1);
    dns_answer_free(&a);
    free(k);
}

static void test_results(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;

    packet_begin(k, REPLY | 3, "nope.example.org", DNS_MX);
    put_soa(k, "example.org");
    parse_bytes(&a, k->p, k->len, "nope.example.org", DNS_MX);
    assert_int_equal(a.result, DNS_NXDOMAIN);
    assert_int_equal(a.rcode, 3);
    assert_non_null(a.authority);
    assert_string_equal(a.authority->owner, "example.org");
    assert_int_equal(a.authority->ttl, 600);
    assert_int_equal(a.authority->u.soa.minimum, 60);
    assert_int_equal(a.authority->u.soa.serial, 2026112301);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_MX);
    put_soa(k, "example.org");
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);
    packet_begin(k, REPLY, NAME, DNS_MX);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);
    put_a(k, "other.example.org", 1); /* somebody else's record, and of another type */
    put_mx(k, "other.example.org", 1, "mx.example.org");
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);

    packet_begin(k, 0x8100, NAME, DNS_MX); /* neither authoritative nor recursive */
    put_ns(k, "org", "a.nic.example");
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_REFUSED);
    assert_true(a.referral);
    assert_int_equal(a.rcode, 0);
    dns_answer_free(&a);
    packet_begin(k, FROM_OWNER, NAME, DNS_MX); /* authoritative: the name is ours, and has no MX */
    put_ns(k, NAME, "ns.example.org");
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);
    packet_begin(k, FROM_OWNER, NAME, DNS_MX); /* ours is the alias only */
    put_cname(k, NAME, "other.example");
    put_ns(k, "example", "ns.example");
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_REFUSED);
    assert_true(a.referral);
    dns_answer_free(&a);
    packet_begin(k, REPLY, NAME, DNS_MX); /* a resolver that follows by itself */
    put_ns(k, "org", "a.nic.example");
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);

    static const enum dns_result by_rcode[] = {
        DNS_NODATA,      DNS_OTHER_RCODE, DNS_SERVFAIL,    DNS_NXDOMAIN,
        DNS_OTHER_RCODE, DNS_REFUSED,     DNS_OTHER_RCODE,
    };
    for (unsigned rcode = 0; rcode < ARRAY_LEN(by_rcode); rcode++) {
        packet_begin(k, REPLY | rcode, NAME, DNS_MX);
        parse(&a, k, DNS_MX);
        assert_int_equal(a.result, by_rcode[rcode]);
        assert_int_equal(a.rcode, rcode);
        dns_answer_free(&a);
    }
    packet_begin(k, REPLY | 2, NAME, DNS_MX); /* an error stays one whatever else is in it */
    put_mx(k, NAME, 1, "mx.example.org");
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_SERVFAIL);

    packet_begin(k, REPLY | 0x200, NAME, DNS_MX);
    parse(&a, k, DNS_MX);
    assert_true(a.truncated);
    dns_answer_free(&a);
    packet_begin(k, REPLY, NAME, DNS_MX);
    assert_int_equal(result_of(k, "a..b", DNS_MX), DNS_BAD_NAME);
    packet_begin(k, 0x0100, NAME, DNS_MX);
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_MALFORMED);
    assert_int_equal(a.rcode, -1);
    dns_answer_free(&a);
    free(k);
}

static void test_extended_errors(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;

    packet_begin(k, REPLY | 2, NAME, DNS_MX);
    put_opt(k, 0, 15, "\0\6DNSSEC \x1b bogus", 16);
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_SERVFAIL);
    assert_int_equal(a.ede, 6);
    assert_string_equal(a.ede_text, "DNSSEC \x1b bogus");
    dns_answer_free(&a);

    char huge[300];
    memset(huge, 'x', sizeof(huge));
    huge[0] = 0;
    huge[1] = 22;
    packet_begin(k, REPLY | 2, NAME, DNS_MX);
    put_opt(k, 0, 15, huge, sizeof(huge));
    parse(&a, k, DNS_MX);
    assert_int_equal(a.ede, 22);
    assert_int_equal(strlen(a.ede_text), sizeof(a.ede_text) - 1);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_MX);
    put_opt(k, 1, 0, NULL, 0); /* BADVERS */
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_OTHER_RCODE);
    assert_int_equal(a.rcode, 16);
    dns_answer_free(&a);

    packet_begin(k, REPLY, NAME, DNS_MX); /* other options are passed over */
    put_opt(k, 0, 10, "cookie..", 8);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_NODATA);
    packet_begin(k, REPLY, NAME, DNS_MX); /* too short to be an extended error */
    put_opt(k, 0, 15, "\0", 1);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    packet_begin(k, REPLY, NAME, DNS_MX); /* the option claims more than there is */
    put_opt(k, 0, 15, "\0\6", 2);
    packet_set16(k, k->len - 4, 3);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    packet_begin(k, REPLY, NAME, DNS_MX);
    put_opt(k, 0, 0, NULL, 0);
    put_opt(k, 0, 0, NULL, 0);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    free(k);
}

/* RDATA that does not fit its type: one octet fewer, one more, and nothing at all. */
static void test_rdata_lies(void **state)
{
    (void)state;
    static const struct {
        uint16_t type;
        size_t len;
        const char *rdata;
    } good[] = {
        {DNS_A, 4, "\300\0\2\1"},
        {DNS_AAAA, 16, "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"},
        {DNS_MX, 5, "\0\12\1a\0"},
        {DNS_MX, 4, "\0\12\300\14"},
        {DNS_NS, 3, "\1a\0"},
        {DNS_PTR, 2, "\300\14"},
        {DNS_CNAME, 1, "\0"},
        {DNS_TXT, 4, "\3abc"},
        {DNS_SRV, 9, "\0\1\0\2\0\3\1a\0"},
        {DNS_SOA, 26, "\1a\0\1b\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\5"},
    };
    struct packet *k = packet_new();
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        for (size_t len = 0; len <= good[i].len + 1; len++) {
            packet_begin(k, REPLY, NAME, good[i].type);
            rr_owned(k, NAME, good[i].type);
            put_bytes(k, good[i].rdata, len <= good[i].len ? len : good[i].len);
            if (len > good[i].len) {
                put8(k, 'z');
            }
            rr_end(k);
            assert_int_equal(result_of(k, NAME, good[i].type),
                             len == good[i].len ? DNS_ANSWER : DNS_MALFORMED);
            /* The same lie told by the length alone, with another record behind it. */
            if (len != good[i].len) {
                packet_begin(k, REPLY, NAME, good[i].type);
                rr_owned(k, NAME, good[i].type);
                put_bytes(k, good[i].rdata, good[i].len);
                packet_set16(k, k->rdata - 2, (unsigned)len);
                put_a(k, NAME, 1);
                assert_int_equal(result_of(k, NAME, good[i].type), DNS_MALFORMED);
            }
        }
    }
    packet_begin(k, REPLY, NAME, DNS_TXT); /* a string longer than the RDATA */
    rr_owned(k, NAME, DNS_TXT);
    put_bytes(k, "\377abc", 4);
    rr_end(k);
    put_a(k, NAME, 1);
    assert_int_equal(result_of(k, NAME, DNS_TXT), DNS_MALFORMED);
    packet_begin(k, REPLY, NAME, DNS_MX); /* a broken SOA beside good records */
    put_mx(k, NAME, 1, "mx");
    put_soa(k, NAME);
    k->p[k->rdata - 1]--;
    k->len--;
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    packet_begin(k, REPLY, NAME, DNS_MX); /* a CNAME on the way that cannot be read */
    rr_owned(k, NAME, DNS_CNAME);
    put_bytes(k, "\300", 1);
    rr_end(k);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    free(k);
}

static void test_pointers(void **state)
{
    (void)state;
    struct packet *k = packet_new();

    /* In RDATA: to itself, to each other, to the header, forward, past the end. */
    size_t start;
    for (int kind = 0; kind < 5; kind++) {
        packet_begin(k, REPLY, NAME, DNS_MX);
        rr_owned(k, NAME, DNS_MX);
        put16(k, 10);
        start = k->len;
        switch (kind) {
        case 0:
            put_pointer(k, start);
            break;
        case 1:
            put_label(k, "a", 1);
            put_pointer(k, start);
            break;
        case 2:
            put_pointer(k, start + 2);
            put_pointer(k, start);
            break;
        case 3:
            put_pointer(k, 0x3fff);
            break;
        default:
            put_label(k, "x", 1);
            put8(k, 0xc0);
        }
        rr_end(k);
        assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    }

    /* As owner, in every section. */
    static const enum packet_section sections[] = {SECTION_ANSWER, SECTION_AUTHORITY,
                                                   SECTION_ADDITIONAL};
    for (size_t i = 0; i < ARRAY_LEN(sections); i++) {
        packet_begin(k, REPLY, NAME, DNS_MX);
        put_pointer(k, k->len);
        rr_begin(k, sections[i], DNS_MX, 1, 1);
        put16(k, 1);
        put_name(k, "mx");
        rr_end(k);
        assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    }

    /* The question itself. */
    packet_begin(k, REPLY, NAME, DNS_MX);
    packet_set16(k, 12, 0xc00c);
    assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);

    /* Label types 0x40 and 0x80 are not in use. */
    for (unsigned type = 0x40; type <= 0x80; type += 0x40) {
        packet_begin(k, REPLY, NAME, DNS_MX);
        rr_owned(k, NAME, DNS_MX);
        put16(k, 10);
        put8(k, type | 1);
        put_bytes(k, "a\0", 2);
        rr_end(k);
        assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
    }

    /* 256 octets by way of pointers: each piece is small, the sum is too large. */
    packet_begin(k, REPLY, NAME, DNS_PTR);
    char label[63];
    memset(label, 'l', sizeof(label));
    size_t previous = 12;
    for (int i = 0; i < 5; i++) {
        put_pointer(k, 12);
        rr_begin(k, SECTION_ANSWER, DNS_TLSA, 1, 1);
        size_t here = k->len;
        put_label(k, label, sizeof(label));
        put_pointer(k, previous);
        rr_end(k);
        previous = here;
    }
    put_pointer(k, 12);
    rr_begin(k, SECTION_ANSWER, DNS_PTR, 1, 1);
    put_pointer(k, previous);
    rr_end(k);
    assert_int_equal(result_of(k, NAME, DNS_PTR), DNS_MALFORMED);
    free(k);
}

/* 64 KiB in which every owner name is a chain of thousands of pointers. */
static void test_pointer_chains(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    packet_begin(k, REPLY, NAME, DNS_A);
    put_pointer(k, 12);
    rr_begin(k, SECTION_ANSWER, DNS_TLSA, 1, 1);
    size_t previous = 12;
    while (k->len < 0x3f00) {
        size_t here = k->len;
        put_pointer(k, previous);
        previous = here;
    }
    rr_end(k);
    while (k->len < DNS_MESSAGE_MAX - 16) {
        put_pointer(k, previous);
        rr_begin(k, SECTION_ANSWER, DNS_A, 1, 1);
        put32(k, 0xc0000201);
        rr_end(k);
    }
    struct dns_answer a;
    parse(&a, k, DNS_A);
    assert_true(a.result == DNS_ANSWER || a.result == DNS_MALFORMED);
    dns_answer_free(&a);
    free(k);
}

static void test_lying_counts(void **state)
{
    (void)state;
    static const unsigned lies[] = {0, 2, 3, 255, 65535};
    struct packet *k = packet_new();
    for (size_t at = 4; at <= 10; at += 2) {
        for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
            packet_begin(k, REPLY, NAME, DNS_MX);
            put_mx(k, NAME, 1, "mx");
            put_soa(k, NAME);
            put_opt(k, 0, 0, NULL, 0);
            packet_set16(k, at, lies[i]);
            assert_int_equal(result_of(k, NAME, DNS_MX), DNS_MALFORMED);
        }
    }
    free(k);
}

static void test_many_mx(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    packet_begin(k, REPLY, NAME, DNS_MX);
    for (unsigned i = 0; i < 300; i++) {
        char exchange[40];
        snprintf(exchange, sizeof(exchange), "mx%u.example.org", i);
        put_mx(k, NAME, i, exchange);
    }
    parse(&a, k, DNS_MX);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.count, 300);
    assert_int_equal(a.dropped, 0);
    assert_string_equal(a.records[299].u.mx.exchange, "mx299.example.org");
    assert_int_equal(a.records[299].u.mx.preference, 299);
    dns_answer_free(&a);
    free(k);
}

static void test_txt_sizes(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    struct dns_answer a;
    char piece[250];
    memset(piece, 't', sizeof(piece));

    packet_begin(k, REPLY, NAME, DNS_TXT);
    rr_owned(k, NAME, DNS_TXT);
    for (int i = 0; i < 40; i++) {
        put_label(k, piece, sizeof(piece));
    }
    rr_end(k);
    parse(&a, k, DNS_TXT);
    assert_int_equal(a.records[0].u.txt.len, 10000);
    assert_int_equal(strlen(a.records[0].u.txt.text), 10000);
    dns_answer_free(&a);

    /* As many records as 64 KiB can hold: the ceiling, and the honest rest. */
    packet_begin(k, REPLY, NAME, DNS_TXT);
    size_t put = 0;
    while (k->len + 14 <= DNS_MESSAGE_MAX) {
        put_pointer(k, 12);
        rr_begin(k, SECTION_ANSWER, DNS_TXT, 1, 1);
        put_label(k, "", 0);
        rr_end(k);
        put++;
    }
    parse(&a, k, DNS_TXT);
    assert_int_equal(a.result, DNS_ANSWER);
    assert_int_equal(a.count, DNS_RECORDS_MAX);
    assert_int_equal(a.dropped, put - DNS_RECORDS_MAX);
    dns_answer_free(&a);

    put8(k, 0); /* longer than any DNS message may be */
    while (k->len <= DNS_MESSAGE_MAX) {
        put8(k, 0);
    }
    assert_int_equal(result_of(k, NAME, DNS_TXT), DNS_MALFORMED);
    free(k);
}

/* Twenty messages of all shapes. Returns false when there is no such number. */
static bool sample(struct packet *k, unsigned number, uint16_t *type)
{
    static const uint16_t types[] = {
        DNS_MX,  DNS_MX, DNS_A,  DNS_AAAA, DNS_TXT, DNS_SRV, DNS_SOA, DNS_NS, DNS_PTR, DNS_TLSA,
        DNS_CAA, DNS_A,  DNS_MX, DNS_A,    DNS_MX,  DNS_MX,  DNS_TXT, DNS_A,  DNS_PTR, DNS_MX,
    };
    if (number >= ARRAY_LEN(types)) {
        return false;
    }
    *type = types[number];
    packet_begin(k, REPLY, NAME, *type);
    switch (number) {
    case 0:
        put_mx(k, NAME, 10, "mx1.example.org");
        put_mx(k, NAME, 20, "mx2.example.org");
        break;
    case 1:
        put_mx(k, NAME, 0, "");
        break;
    case 2:
        put_a(k, NAME, 0xc0000201);
        break;
    case 3:
        rr_owned(k, NAME, DNS_AAAA);
        put_bytes(k, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
        rr_end(k);
        break;
    case 4:
        rr_owned(k, NAME, DNS_TXT);
        put_label(k, "v=spf1", 6);
        put_label(k, " -all", 5);
        rr_end(k);
        break;
    case 5:
        rr_owned(k, NAME, DNS_SRV);
        put_bytes(k, "\0\1\0\2\2\113", 6);
        put_pointer(k, 12);
        rr_end(k);
        break;
    case 6:
        rr_owned(k, NAME, DNS_SOA);
        put_pointer(k, 12);
        put_pointer(k, 12);
        put_bytes(k, "aaaabbbbccccddddeeee", 20);
        rr_end(k);
        break;
    case 7:
    case 8:
        rr_owned(k, NAME, *type);
        put_label(k, "\x1b\0\xff", 3);
        put_pointer(k, 12);
        rr_end(k);
        break;
    case 9:
    case 10:
        rr_owned(k, NAME, *type);
        put_bytes(k, "\0\5issueca.example", 16);
        rr_end(k);
        break;
    case 11:
        put_cname(k, NAME, "b.example.org");
        put_cname(k, "b.example.org", "c.example.org");
        put_a(k, "c.example.org", 0xc0000202);
        break;
    case 12:
        packet_set16(k, 2, REPLY | 3);
        put_soa(k, NAME);
        break;
    case 13:
        put_soa(k, NAME);
        put_opt(k, 0, 0, NULL, 0);
        break;
    case 14:
        packet_set16(k, 2, REPLY | 2);
        put_opt(k, 0, 15, "\0\7signature expired", 19);
        break;
    case 15:
        put_ns(k, "org", "a.nic.example");
        put_ns(k, "org", "b.nic.example");
        break;
    case 16:
        for (int i = 0; i < 5; i++) {
            put_pointer(k, 12);
            rr_begin(k, SECTION_ANSWER, DNS_TXT, 1, 1);
            put_label(k, "x", 1);
            rr_end(k);
        }
        break;
    case 17:
        put_cname(k, NAME, "b.example.org");
        put_cname(k, "b.example.org", NAME);
        break;
    case 18:
        rr_owned(k, NAME, DNS_PTR);
        put_name(k, "1.2.3.4.5.6.7.8.9.10.11.12.13.14.15.16.17.18.19.20");
        rr_end(k);
        break;
    default:
        put_mx(k, NAME, 10, "mx1.example.org");
        put_soa(k, NAME);
        put_opt(k, 0, 10, "cookie..", 8);
    }
    return true;
}

static void test_cut_everywhere(void **state)
{
    (void)state;
    struct packet *k = packet_new();
    uint16_t type = 0;
    unsigned number = 0;
    for (; sample(k, number, &type); number++) {
        size_t whole = k->len;
        assert_int_not_equal(result_of(k, NAME, type), DNS_MALFORMED);
        for (k->len = 0; k->len < whole; k->len++) {
            assert_int_equal(result_of(k, NAME, type), DNS_MALFORMED);
            (void)is_reply(k, PACKET_ID, NAME, type, DNS_CLASS_IN);
        }
        k->len = whole;
        put8(k, 0); /* and one octet too many */
        assert_int_equal(result_of(k, NAME, type), DNS_MALFORMED);
    }
    assert_int_equal(number, 20);
    free(k);
}

/* Every octet replaced by values that mean something: any verdict will do, but no crash. */
static void test_octets_replaced(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 12, 0x3f, 0x40, 0x80, 0xc0, 0xff};
    struct packet *k = packet_new();
    uint16_t type = 0;
    for (unsigned number = 0; sample(k, number, &type); number++) {
        for (size_t i = 0; i < k->len; i++) {
            uint8_t old = k->p[i];
            for (size_t v = 0; v < ARRAY_LEN(values); v++) {
                k->p[i] = values[v];
                enum dns_result result = result_of(k, NAME, type);
                assert_string_not_equal(dns_result_name(result), "unknown");
                (void)is_reply(k, PACKET_ID, NAME, type, DNS_CLASS_IN);
            }
            k->p[i] = old;
        }
    }
    free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),           cmocka_unit_test(test_is_reply),
        cmocka_unit_test(test_types),           cmocka_unit_test(test_class),
        cmocka_unit_test(test_null_mx),         cmocka_unit_test(test_hostile_names),
        cmocka_unit_test(test_cname_chain),     cmocka_unit_test(test_results),
        cmocka_unit_test(test_extended_errors), cmocka_unit_test(test_rdata_lies),
        cmocka_unit_test(test_pointers),        cmocka_unit_test(test_pointer_chains),
        cmocka_unit_test(test_lying_counts),    cmocka_unit_test(test_many_mx),
        cmocka_unit_test(test_txt_sizes),       cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_octets_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "dns_msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_parse.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query),   cmocka_unit_test(test_is_reply),
        cmocka_unit_test(test_types),   cmocka_unit_test(test_class),
        cmocka_unit_test(test_null_mx), cmocka_unit_test(test_cname_chain),
        cmocka_unit_test(test_results), cmocka_unit_test(test_extended_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

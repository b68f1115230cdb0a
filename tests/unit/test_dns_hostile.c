#include "dns_msg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dns_parse.h"

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
        cmocka_unit_test(test_hostile_names),   cmocka_unit_test(test_rdata_lies),
        cmocka_unit_test(test_pointers),        cmocka_unit_test(test_pointer_chains),
        cmocka_unit_test(test_lying_counts),    cmocka_unit_test(test_many_mx),
        cmocka_unit_test(test_txt_sizes),       cmocka_unit_test(test_cut_everywhere),
        cmocka_unit_test(test_octets_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

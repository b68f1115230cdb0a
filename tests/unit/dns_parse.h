/*
 * dns_parse: the reader of DNS messages, called on guarded pages.
 *
 * Threads: tests are single-threaded. Ownership: as in dns_msg.h; packet_new's are for free().
 */
#ifndef SMTPSCOPE_TEST_DNS_PARSE_H
#define SMTPSCOPE_TEST_DNS_PARSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "dns_msg.h"
#include "guarded.h"
#include "packet.h"

#define REPLY 0x8180u      /* QR RD RA */
#define FROM_OWNER 0x8500u /* QR AA RD, no recursion offered */
#define NAME "example.org"

static inline struct packet *packet_new(void)
{
    struct packet *k = calloc(1, sizeof(*k));
    assert_non_null(k);
    return k;
}

static inline void parse_bytes(struct dns_answer *answer, const void *p, size_t len,
                               const char *name, uint16_t type)
{
    struct guarded g = guarded_copy(p, len);
    dns_answer_init(answer);
    assert_int_equal(dns_msg_parse(answer, g.p, g.len, name, type), ST_OK);
    guarded_free(&g);
}

static inline void parse(struct dns_answer *answer, const struct packet *k, uint16_t type)
{
    parse_bytes(answer, k->p, k->len, NAME, type);
}

static inline enum dns_result result_of(const struct packet *k, const char *name, uint16_t type)
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

static inline bool is_reply(const struct packet *k, uint16_t id, const char *name, uint16_t type,
                            uint16_t class)
{
    struct guarded g = guarded_copy(k->p, k->len);
    bool yes = dns_msg_is_reply(g.p, g.len, id, name, type, class);
    guarded_free(&g);
    return yes;
}

#endif

/* Every cause that a live server can bring about is acted out in the practice network, where
 * test_scenarios demands that it is found. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "practice.h"
#include "reply_decode.h"

static const char yes[] = "no refusal";
static const char no_reply[] = "words of a sending program, where no server has answered";
static const char a_queue[] = "words of a sending program about its queue";
static const char handshake[] = "words of a sending program about a handshake; ours are findings of "
                                "their own";
static const char bounce[] = "words of Microsoft 365 in bounces, about the server that it sends to";

/* What no server answers to a command of ours. */
static const struct {
    const char *id, *because;
} never_live[] = {
    {"reply.accepted", yes},
    {"reply.go_on", yes},
    {"reply.local.connect_refused", no_reply},
    {"reply.local.no_route", no_reply},
    {"reply.local.connect_timeout", no_reply},
    {"reply.local.lost_connection", no_reply},
    {"reply.local.dns", no_reply},
    {"reply.queue.expired", a_queue},
    {"reply.tls.not_offered", handshake},
    {"reply.tls.certificate_name", handshake},
    {"reply.tls.certificate", handshake},
    {"reply.tls.unknown_name", handshake},
    {"reply.tls.version", handshake},
    {"reply.tls.no_common_cipher", handshake},
    {"reply.tls.handshake", handshake},
    {"reply.microsoft.starttls_missing", bounce},
    {"reply.microsoft.dane_certificate", bounce},
    {"reply.microsoft.tlsa_invalid", bounce},
    {"reply.microsoft.dnssec_invalid", bounce},
};

static const char *why_never(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(never_live); i++) {
        if (strcmp(never_live[i].id, id) == 0) {
            return never_live[i].because;
        }
    }
    return NULL;
}

static const char *acted_out_in(const struct practice_catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->count; i++) {
        for (size_t k = 0; k < c->p[i].expect_count; k++) {
            if (strcmp(c->p[i].expect[k], id) == 0) {
                return c->p[i].name;
            }
        }
    }
    return NULL;
}

static void every_live_cause_is_acted_out(void **state)
{
    (void)state;
    struct practice_catalogue c;
    struct error error = {0};
    size_t live = 0, acted_out = 0;
    assert_int_equal(practice_catalogue_load(NULL, &c, &error), ST_OK);
    for (size_t i = 0; i < reply_cause_count; i++) {
        const char *id = reply_causes[i].id;
        const char *never = why_never(id);
        const char *scenario = acted_out_in(&c, id);
        if (never != NULL && scenario != NULL) {
            print_error("%s is acted out in %s, and is said to be %s\n", id, scenario, never);
            live++;
        } else if (never == NULL) {
            live++;
            acted_out += scenario != NULL ? 1 : 0;
        }
        if (never == NULL && scenario == NULL) {
            print_error("%s is in no scenario\n", id);
        }
    }
    practice_catalogue_free(&c);
    print_message("%zu of %zu causes are acted out\n", acted_out, live);
    assert_int_equal(acted_out, live);
}

static void what_is_never_live_exists(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(never_live); i++) {
        if (reply_cause_find(never_live[i].id) == NULL) {
            fail_msg("%s is no cause", never_live[i].id);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_live_cause_is_acted_out),
        cmocka_unit_test(what_is_never_live_exists),
    };
    return cmocka_run_group_tests_name("causes_covered", tests, NULL, NULL);
}

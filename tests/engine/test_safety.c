/* A41, A43 and A45: no secret comes out, the relay test sends nothing, --read-only asks nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base64.h"
#include "canary.h"
#include "options.h"

#define USER CANARY_USER

/* It says again whatever it hears behind XECHO. */
#define WORLD                                                                                      \
    "me\n    name desk.office.example\n    address 198.51.100.7\n"                                 \
    "host mail.example.org\n    address 192.0.2.30\n    latency 2ms\n    port 587 mx\n"            \
    "server mx\n    local example.org\n    mailbox postmaster\n    offer STARTTLS\n"               \
    "    on XECHO: reply \"250 you said {command}\"\n"

/* `password` is the one that the server knows; the canary is what is used. */
static void open_login(struct runner *r, const char *mech, const char *password, const char *rule,
                       enum practice_pace pace)
{
    char text[4096];
    struct error error = {.text = ""};
    snprintf(text, sizeof(text), WORLD "    offer-tls AUTH %s\n    user " USER " %s\n%s", mech,
             password, rule);
    runner_open_text(r, text, pace);
    assert_int_equal(plan_set_target(&r->plan, "mail.example.org:587", &error), ST_OK);
    r->plan.stay = true;
    r->plan.auth_wanted = true;
    assert_int_equal(str_set(&r->plan.auth_user, USER), ST_OK);
    assert_int_equal(str_set(&r->plan.auth_mech, mech), ST_OK);
    assert_int_equal(secret_set(&r->plan.password, CANARY, strlen(CANARY)), ST_OK);
    assert_int_equal(plan_validate(&r->plan, &error), ST_OK);
}

static void have_it_said(struct runner *r, const char *p, size_t len)
{
    struct buf line;
    buf_init(&line, 4096);
    assert_int_equal(buf_addf(&line, "XECHO %.*s", (int)len, p), ST_OK);
    runner_type(r, buf_str(&line), "you said");
    buf_free(&line);
}

/* A server that knows the password says it in what it is told of a login, and in other ways. */
static void have_it_echoed(struct runner *r)
{
    static const char *const in_base64[] = {CANARY, ("?" CANARY "?"), ("??" CANARY)};
    static const char plain[] = "\0" USER "\0" CANARY;
    struct canary_forms forms;
    forms.count = 0;
    canary_add(&forms, CANARY, strlen(CANARY));
    for (size_t i = 0; i < ARRAY_LEN(in_base64); i++) {
        canary_add_base64(&forms, in_base64[i], strlen(in_base64[i]), 0, 0);
    }
    canary_add_base64(&forms, plain, sizeof(plain) - 1, 0, 0);
    canary_add_written_out(&forms);
    for (size_t i = 0; i < forms.count; i++) {
        have_it_said(r, forms.list[i].text, forms.list[i].len);
    }
}

static const char *const mechs[] = {"PLAIN",         "LOGIN",   "CRAM-MD5",   "SCRAM-SHA-1",
                                    "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"};

static void test_a41_right(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        struct runner r;
        open_login(&r, mechs[i], CANARY, "", PRACTICE_INSTANT);
        runner_run(&r);
        if (!runner_found(&r, "smtp.auth.ok")) {
            fail_msg("%s: %s%s", mechs[i], buf_str(&r.log), buf_str(&r.text));
        }
        assert_true(r.record.session_authenticated);
        have_it_echoed(&r);
        canary_assert_none(&r);
        runner_close(&r);
    }
}

static void test_a41_wrong(void **state)
{
    (void)state;
    static const char *const rules[] = {
        "",
        "    on login: reply \"535 5.7.8 you said {command}\"\n",
        "    on AUTH: reply \"535 5.7.8 you said {command}\"\n",
        "    on AUTH: reply \"334 !!!! {command}\"\n",
    };
    for (size_t i = 0; i < ARRAY_LEN(mechs) * ARRAY_LEN(rules); i++) {
        struct runner r;
        open_login(&r, mechs[i % ARRAY_LEN(mechs)], "another-one", rules[i / ARRAY_LEN(mechs)],
                   PRACTICE_INSTANT);
        runner_run(&r);
        assert_false(r.record.session_authenticated);
        assert_true(runner_verdict(&r, CHECK_AUTH) == VERDICT_FAIL ||
                    runner_verdict(&r, CHECK_AUTH) == VERDICT_INCONCLUSIVE);
        canary_assert_none(&r);
        runner_close(&r);
    }
}

static bool waits_for_login(const struct runner *r, const void *arg)
{
    (void)arg;
    return r->record.waiting == WAIT_AUTH;
}

static void test_a41_aborted(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(mechs); i++) {
        struct runner r;
        open_login(&r, mechs[i / 2], CANARY, "    on login: stall\n", PRACTICE_PACED);
        runner_start(&r);
        runner_until(&r, waits_for_login, NULL);
        engine_cancel(r.engine, i % 2 == 0 ? CANCEL_POLITE : CANCEL_HARD);
        runner_until_done(&r);
        canary_assert_none(&r);
        /* What is typed after it may be meant for the login that was broken off. */
        runner_type(&r, CANARY, "no connection");
        canary_assert_none(&r);
        runner_close(&r);
    }
}

static void type_token(struct runner *r, const char *before, const char *p, size_t len,
                       const char *answer)
{
    struct buf line;
    buf_init(&line, 4096);
    assert_int_equal(buf_add_str(&line, before), ST_OK);
    assert_int_equal(base64_encode(&line, p, len), ST_OK);
    runner_type(r, buf_str(&line), answer);
    buf_free(&line);
}

#define TYPE_TOKEN(r, before, text, answer)                                                        \
    type_token(r, before, text, sizeof(text) - 1, answer)

static void test_a41_typed(void **state)
{
    (void)state;
    struct runner r;
    open_login(&r, "PLAIN", CANARY, "", PRACTICE_INSTANT);
    r.plan.auth_wanted = false;
    secret_free(&r.plan.password);
    runner_run(&r);
    /* Aborted, wrong, not encoded, in the mechanism's place, by a name that nobody knows. */
    runner_type(&r, "AUTH PLAIN", "334 ");
    runner_type(&r, "*", "501 ");
    runner_type(&r, "AUTH PLAIN", "334 ");
    runner_type(&r, CANARY, "50");
    TYPE_TOKEN(&r, "auth plain ", "\0" "other\0" CANARY, "535 ");
    TYPE_TOKEN(&r, "", CANARY, "50"); /* alone, behind a login that failed */
    TYPE_TOKEN(&r, "AUTH ", "\0" USER "\0" CANARY, "50");
    TYPE_TOKEN(&r, " AUTH\tPLAIN  ", "\0" USER "\0" CANARY, "50");
    TYPE_TOKEN(&r, "AUTH XOAUTH2 ", "user=" USER "\1auth=Bearer " CANARY "\1\1", "50");
    TYPE_TOKEN(&r, "AUTH PLAIN=", "\0" USER "\0" CANARY, "50");
    TYPE_TOKEN(&r, "AUTH PLAIN ", "\0" USER "\0" CANARY, "235 ");
    have_it_echoed(&r);
    canary_assert_none(&r);
    /* And to a later connection of the same run. */
    runner_step(&r, CHECK_EHLO, NULL);
    have_it_echoed(&r);
    canary_assert_none(&r);
    runner_close(&r);
}

/* A login that was stopped while its answer was still due leaves nobody logged in unawares. */
static void test_a41_typed_and_stopped(void **state)
{
    (void)state;
    struct runner r;
    open_login(&r, "LOGIN", CANARY, "    on AUTH: wait 1s, default\n", PRACTICE_PACED);
    r.plan.auth_wanted = false;
    secret_free(&r.plan.password);
    runner_run(&r);
    assert_int_equal(engine_type(r.engine, "AUTH LOGIN", 10), ST_OK);
    runner_until(&r, waits_for_login, NULL);
    /* Typed ahead, and stopped with it. */
    assert_int_equal(engine_type(r.engine, CANARY, strlen(CANARY)), ST_OK);
    engine_cancel(r.engine, CANCEL_POLITE);
    runner_until_text(&r, "Stopped before the line was sent");
    runner_type(&r, CANARY, "hidden");
    runner_type(&r, "*", "50");
    canary_assert_none(&r);
    runner_close(&r);
}

/* Each scenario, asked for more than its story wants. */
static void open_eager(struct runner *r, struct options *o, char **storage, const char *name)
{
    struct error error = {.text = ""};
    runner_open(r, name, PRACTICE_INSTANT);
    options_init(o);
    o->target = r->info.target;
    if (options_parse_text(o, r->info.options, storage, &error) != ST_OK ||
        options_finish(o, &error) != ST_OK || options_password(o, &error) != ST_OK) {
        fail_msg("%s: %s", name, error.text);
    }
    plan_free(&r->plan);
    assert_int_equal(plan_copy(&r->plan, &o->plan), ST_OK);
    r->plan.relay_consent = true;
    r->plan.stay = true;
}

static void close_eager(struct runner *r, struct options *o, char *storage)
{
    runner_close(r);
    options_free(o);
    free(storage);
}

/* The command in a line of the server's log: "3 tls MAIL FROM:<>". */
static const char *command_of(const char *line)
{
    const char *p = strchr(line, ' ');
    p = p != NULL ? strchr(p + 1, ' ') : NULL;
    return p != NULL ? p + 1 : "";
}

static bool begins(const char *command, const char *verb)
{
    size_t n = strlen(verb);
    return strncasecmp(command, verb, n) == 0 && (command[n] == ' ' || command[n] == '\n' ||
                                                  command[n] == '\r' || command[n] == '\0');
}

/* How many commands of these verbs (NULL at the end) were seen. */
static unsigned count_verbs(const struct runner *r, const char *const *verbs)
{
    unsigned count = 0;
    for (const char *p = buf_str(practice_log(r->net)); *p != '\0';) {
        const char *end = strchr(p, '\n');
        for (size_t i = 0; verbs[i] != NULL; i++) {
            count += begins(command_of(p), verbs[i]);
        }
        p = end != NULL ? end + 1 : p + strlen(p);
    }
    return count;
}

static void each_scenario(void (*test)(const char *name))
{
    char **names = NULL;
    struct error error = {.text = ""};
    size_t count = 0;
    assert_int_equal(practice_names(NULL, &names, &error), ST_OK);
    for (char **name = names; *name != NULL; name++) {
        test(*name);
        count++;
    }
    practice_names_free(names);
    assert_true(count >= 20);
}

static void relay_test_of(const char *name)
{
    static const char *const text[] = {"DATA", "BDAT", NULL};
    struct runner r;
    struct options o;
    char *storage = NULL;
    open_eager(&r, &o, &storage, name);
    r.plan.send_consent = false;
    runner_run(&r);
    /* Once more, as a step by itself. */
    runner_step(&r, CHECK_RELAY, &r.plan);
    assert_int_equal(practice_text_bytes(r.net), 0);
    if (count_verbs(&r, text) != 0) {
        fail_msg("%s:\n%s", name, buf_str(practice_log(r.net)));
    }
    close_eager(&r, &o, storage);
}

static void test_a43_no_text(void **state)
{
    (void)state;
    each_scenario(relay_test_of);
}

/* A server that takes anything, with and without PIPELINING. */
static void test_a43_reset_after_each_try(void **state)
{
    (void)state;
    static const char *const offers[] = {"offer PIPELINING", "withhold PIPELINING"};
    static const char *const mail[] = {"MAIL", NULL};
    static const char *const rcpt[] = {"RCPT", NULL};
    static const char *const rset[] = {"RSET", NULL};
    for (size_t i = 0; i < ARRAY_LEN(offers); i++) {
        char text[4096];
        struct runner r;
        struct error error = {.text = ""};
        snprintf(text, sizeof(text), WORLD "    relay open\n    %s\n", offers[i]);
        runner_open_text(&r, text, PRACTICE_INSTANT);
        assert_int_equal(plan_set_target(&r.plan, "mail.example.org:587", &error), ST_OK);
        r.plan.relay_consent = true;
        runner_run(&r);
        assert_true(runner_found(&r, "smtp.relay.open"));
        assert_true(count_verbs(&r, mail) >= 3);
        assert_int_equal(count_verbs(&r, mail), count_verbs(&r, rcpt));
        assert_int_equal(count_verbs(&r, mail), count_verbs(&r, rset));
        assert_int_equal(practice_text_bytes(r.net), 0);
        runner_close(&r);
    }
}

static void read_only_of(const char *name)
{
    static const char *const risky[] = {"AUTH", "MAIL", "RCPT", "DATA", "BDAT", "VRFY", "EXPN",
                                        NULL};
    struct runner r;
    struct options o;
    char *storage = NULL;
    open_eager(&r, &o, &storage, name);
    r.plan.read_only = true;
    r.plan.auth_wanted = r.plan.auth_in_clear = r.plan.send_consent = true;
    assert_int_equal(str_set(&r.plan.auth_user, USER), ST_OK);
    assert_int_equal(str_set(&r.plan.to, USER), ST_OK);
    assert_int_equal(secret_set(&r.plan.password, CANARY, strlen(CANARY)), ST_OK);
    runner_run(&r);
    /* A consent that comes later changes nothing, and neither does a plan that denies it. */
    r.plan.read_only = false;
    for (int check = CHECK_RELAY; check < CHECK_COUNT; check++) {
        runner_step(&r, (enum check_id)check, &r.plan);
        /* Where the time is over again before its turn, it does not even begin. */
        enum verdict v = runner_verdict(&r, (enum check_id)check);
        assert_true(v == VERDICT_SKIPPED || (v == VERDICT_PENDING && r.record.cancelled));
    }
    assert_int_equal(practice_text_bytes(r.net), 0);
    if (count_verbs(&r, risky) != 0) {
        fail_msg("%s:\n%s", name, buf_str(practice_log(r.net)));
    }
    canary_assert_none(&r);
    close_eager(&r, &o, storage);
}

static void test_a45_read_only(void **state)
{
    (void)state;
    each_scenario(read_only_of);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a41_right),
        cmocka_unit_test(test_a41_wrong),
        cmocka_unit_test(test_a41_aborted),
        cmocka_unit_test(test_a41_typed),
        cmocka_unit_test(test_a41_typed_and_stopped),
        cmocka_unit_test(test_a43_no_text),
        cmocka_unit_test(test_a43_reset_after_each_try),
        cmocka_unit_test(test_a45_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

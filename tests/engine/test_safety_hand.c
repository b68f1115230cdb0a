/* A41 for what is done by hand: every mechanism typed and in exact bytes, right, wrong and broken
   off; and the same in scripts. */
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
#include "sasl.h"

#define LINE_LEN_MAX 8192

enum manner { TYPED, RAW, RAW_IN_PIECES };
enum ending { RIGHT, WRONG, ABORTED };

static const char *const mechs[] = {"PLAIN",         "LOGIN",   "CRAM-MD5",   "SCRAM-SHA-1",
                                    "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"};

static void open_login(struct runner *r, const char *mech, const char *password)
{
    char text[4096];
    struct error error = {.text = ""};
    snprintf(text, sizeof(text),
             "me\n    name desk.office.example\n    address 198.51.100.7\n"
             "host mail.example.org\n    address 192.0.2.30\n    latency 2ms\n    port 587 mx\n"
             "server mx\n    local example.org\n    offer STARTTLS\n    offer PIPELINING\n"
             "    offer-tls AUTH %s\n    user " CANARY_USER " %s\n"
             "    on XECHO: reply \"250 you said {command}\"\n",
             mech, password);
    runner_open_text(r, text, PRACTICE_INSTANT);
    assert_int_equal(plan_set_target(&r->plan, "mail.example.org:587", &error), ST_OK);
    r->plan.stay = true;
    runner_run(r);
}

static bool server_spoke(const struct runner *r, const void *arg)
{
    struct line line;
    const uint32_t after = *(const uint32_t *)arg;
    for (uint32_t n = after + 1; n <= lines_last(r->record.lines); n++) {
        if (lines_get(r->record.lines, n, &line) && line.dir == DIR_SERVER) {
            return true;
        }
    }
    return false;
}

/* The bytes as a person would enter them. Returns the code of the reply that comes. */
static int enter(struct runner *r, enum manner manner, const char *text)
{
    char bytes[LINE_LEN_MAX];
    struct line line;
    uint32_t after = lines_last(r->record.lines);
    size_t n = (size_t)snprintf(bytes, sizeof(bytes), "%s\r\n", text);
    assert_true(n < sizeof(bytes));
    switch (manner) {
    case TYPED:
        assert_int_equal(engine_type(r->engine, text, n - 2), ST_OK);
        break;
    case RAW:
        assert_int_equal(engine_raw(r->engine, bytes, n, 0), ST_OK);
        break;
    case RAW_IN_PIECES:
        for (size_t at = 0; at < n; at += 7) {
            size_t piece = n - at < 7 ? n - at : 7;
            assert_int_equal(engine_raw(r->engine, bytes + at, piece, 0), ST_OK);
        }
        break;
    }
    runner_until(r, server_spoke, &after);
    while (!lines_get(r->record.lines, ++after, &line) || line.dir != DIR_SERVER) {
    }
    return line.len >= 3
               ? (line.text[0] - '0') * 100 + (line.text[1] - '0') * 10 + (line.text[2] - '0')
               : 0;
}

/* What the last 334 asks, decoded. False when it was hidden: the proof of the server. */
static bool last_challenge(const struct runner *r, struct buf *out)
{
    struct line line;
    uint32_t n = lines_search(r->record.lines, UINT32_MAX, true, "334");
    buf_clear(out);
    assert_true(lines_get(r->record.lines, n, &line));
    return line.len <= 4 || base64_decode(out, line.text + 4, line.len - 4) == ST_OK;
}

static void not_random(void *ctx, void *p, size_t len)
{
    (void)ctx;
    memset(p, 'r', len);
}

static struct sasl *start(const char *mech)
{
    static struct secret password;
    struct sasl *sasl = NULL;
    struct error error = {.text = ""};
    assert_int_equal(secret_set(&password, CANARY, strlen(CANARY)), ST_OK);
    const struct sasl_params params = {.mech = sasl_mech_find(mech),
                                       .user = CANARY_USER,
                                       .password = &password,
                                       .host = "mail.example.org",
                                       .port = 587,
                                       .random = not_random};
    if (sasl_start(&params, &sasl, &error) != ST_OK) {
        fail_msg("%s: %s", mech, error.text);
    }
    return sasl;
}

/* The response to the last challenge, in base64. */
static void respond(struct runner *r, struct sasl *sasl, bool initial, struct buf *line)
{
    struct buf challenge, response;
    struct error error;
    bool secret;
    buf_init(&challenge, LINE_LEN_MAX);
    buf_init(&response, LINE_LEN_MAX);
    buf_clear(line);
    bool shown = last_challenge(r, &challenge);
    enum status st = ST_OK;
    if (shown) {
        st = sasl_step(sasl, initial ? NULL : buf_str(&challenge), initial ? 0 : challenge.len,
                       &response, &secret, &error);
    }
    /* What the server says when it refuses in the mechanism's own words is answered by nothing. */
    if (st == ST_OK) {
        assert_int_equal(base64_encode(line, buf_str(&response), response.len), ST_OK);
    }
    buf_wipe(&response);
    buf_free(&challenge);
}

/* True when the server let us in. */
static bool log_in(struct runner *r, const char *mech, enum manner manner, enum ending ending)
{
    struct sasl *sasl = start(mech);
    struct buf line;
    char command[64];
    buf_init(&line, LINE_LEN_MAX);
    snprintf(command, sizeof(command), "AUTH %s", mech);
    int code = enter(r, manner, command);
    for (int step = 0; code == 334 && step < 5; step++) {
        respond(r, sasl, step == 0 && sasl_has_initial(sasl), &line);
        code = enter(r, manner, buf_str(&line));
        if (ending == ABORTED && code == 334) {
            code = enter(r, manner, "*");
        }
    }
    /* Where one response is all, there is nothing to break off. */
    assert_true(ending == ABORTED || (code == 235) == (ending == RIGHT));
    buf_wipe(&line);
    sasl_free(sasl);
    return code == 235;
}

static void have_it_echoed(struct runner *r)
{
    struct buf line;
    buf_init(&line, LINE_LEN_MAX);
    runner_type(r, "XECHO " CANARY, "you said");
    assert_int_equal(buf_add_str(&line, "XECHO "), ST_OK);
    assert_int_equal(base64_encode(&line, CANARY, strlen(CANARY)), ST_OK);
    runner_type(r, buf_str(&line), "you said");
    buf_free(&line);
}

static void each_mechanism(enum manner manner, enum ending ending)
{
    for (size_t i = 0; i < ARRAY_LEN(mechs); i++) {
        struct runner r;
        open_login(&r, mechs[i], ending == WRONG ? "another-one" : CANARY);
        bool in = log_in(&r, mechs[i], manner, ending);
        /* A lone word behind a login that failed may be the password once more. */
        if (!in) {
            enter(&r, manner, CANARY);
        }
        canary_assert_none(&r);
        /* A digest that was refused teaches nothing about the password. */
        if (in && sasl_mech_sends_password(sasl_mech_find(mechs[i]))) {
            have_it_echoed(&r);
            canary_assert_none(&r);
        }
        runner_close(&r);
    }
}

static void test_typed(void **state)
{
    (void)state;
    each_mechanism(TYPED, RIGHT);
    each_mechanism(TYPED, WRONG);
    each_mechanism(TYPED, ABORTED);
}

static void test_raw(void **state)
{
    (void)state;
    each_mechanism(RAW, RIGHT);
    each_mechanism(RAW, WRONG);
    each_mechanism(RAW, ABORTED);
}

static void test_raw_in_pieces(void **state)
{
    (void)state;
    each_mechanism(RAW_IN_PIECES, RIGHT);
    each_mechanism(RAW_IN_PIECES, WRONG);
    each_mechanism(RAW_IN_PIECES, ABORTED);
}

/* A whole login in one packet, with more commands before and behind. */
static void test_raw_in_one_packet(void **state)
{
    (void)state;
    /* What stands before, between and behind the two secrets. */
    static const char *const ways[][3] = {
        {"NOOP\r\nAUTH LOGIN\r\n", "\r\n", "\r\nNOOP\r\n"},
        {"AUTH LOGIN\n", "\n", "\n"},
        {"AUTH LOGIN ", "\r\n", "\r\n"},
        {"DATA\r\nAUTH LOGIN\r\n", "\r\n", "\r\n.\r\n"},
    };
    struct buf user, password;
    buf_init(&user, 1000);
    buf_init(&password, 1000);
    assert_int_equal(base64_encode(&user, CANARY_USER, strlen(CANARY_USER)), ST_OK);
    assert_int_equal(base64_encode(&password, CANARY, strlen(CANARY)), ST_OK);
    for (size_t i = 0; i < 2 * ARRAY_LEN(ways); i++) {
        char bytes[LINE_LEN_MAX];
        struct runner r;
        uint32_t after;
        open_login(&r, "LOGIN", i % 2 == 0 ? CANARY : "another-one");
        snprintf(bytes, sizeof(bytes), "%s%s%s%s%s", ways[i / 2][0], buf_str(&user), ways[i / 2][1],
                 buf_str(&password), ways[i / 2][2]);
        after = lines_last(r.record.lines);
        assert_int_equal(engine_raw(r.engine, bytes, strlen(bytes), 0), ST_OK);
        runner_until(&r, server_spoke, &after);
        enter(&r, TYPED, "NOOP");
        canary_assert_none(&r);
        runner_close(&r);
    }
    buf_wipe(&user);
    buf_wipe(&password);
}

static bool stopped_playing(const struct runner *r, const void *arg)
{
    (void)arg;
    return r->record.replay.state > REPLAY_PLAYING;
}

/* A script that somebody wrote with the password in it, and one that leaves a gap for it. */
static void test_scripts(void **state)
{
    (void)state;
    struct buf text, token;
    static const char plain[] = "\0" CANARY_USER "\0" CANARY;
    buf_init(&text, 4000);
    buf_init(&token, 1000);
    assert_int_equal(base64_encode(&token, plain, sizeof(plain) - 1), ST_OK);
    assert_int_equal(buf_addf(&text, "EHLO a\nSTARTTLS\nEHLO a\nAUTH PLAIN %s\nXECHO %s\n",
                              buf_str(&token), buf_str(&token)),
                     ST_OK);
    for (int i = 0; i < 2; i++) {
        struct runner r;
        struct script *script = NULL;
        struct error error = {.text = ""};
        open_login(&r, "PLAIN", i == 0 ? CANARY : "another-one");
        assert_int_equal(script_read("test", buf_str(&text), text.len, &script, &error), ST_OK);
        assert_int_equal(engine_replay(r.engine, NULL, script, false), ST_OK);
        script_free(script);
        runner_until(&r, stopped_playing, NULL);
        assert_int_equal(r.record.replay.state, i == 0 ? REPLAY_DONE : REPLAY_UNEXPECTED);
        canary_assert_none(&r);
        runner_close(&r);
    }
    buf_wipe(&text);
    buf_wipe(&token);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_typed),         cmocka_unit_test(test_raw),
        cmocka_unit_test(test_raw_in_pieces), cmocka_unit_test(test_raw_in_one_packet),
        cmocka_unit_test(test_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

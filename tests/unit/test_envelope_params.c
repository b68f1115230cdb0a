/* MAIL and RCPT: which parameters there are, what their values may be, and what a server has to
   offer for them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "envelope.h"
#include "guarded.h"

static void read_caps(struct caps *caps, const char *lines)
{
    struct reply r;
    size_t used = 0;
    reply_init(&r);
    assert_int_equal(reply_feed(&r, lines, strlen(lines), &used), ST_OK);
    caps_parse(caps, &r, true);
    reply_free(&r);
}

static enum envelope_verdict judge(enum envelope_command command, const char *param,
                                   const struct caps *caps, bool tls, struct error *why)
{
    struct guarded g = guarded_copy(param, strlen(param));
    enum envelope_verdict v = envelope_judge(command, (struct span){g.p, g.len}, caps, tls, why);
    assert_true((v == ENVELOPE_GOOD) == (why->text[0] == '\0'));
    guarded_free(&g);
    return v;
}

static void test_grammar(void **state)
{
    (void)state;
    static const char *const good[] = {
        "SIZE=0",
        "size=12345678901234567890",
        "BODY=7bit",
        "BODY=8BITMIME",
        "BODY=BINARYMIME",
        "SMTPUTF8",
        "RET=FULL",
        "ret=hdrs",
        "ENVID=QQ314159",
        "ENVID=a+2Bb",
        "AUTH=<>",
        "AUTH=e+3Dmc2@example.com",
        "REQUIRETLS",
        "BY=120;R",
        "BY=0;N",
        "BY=-5;NT",
        "BY=+60;RT",
        "HOLDFOR=1",
        "HOLDFOR=999999999",
        "HOLDUNTIL=2026-11-23T12:00:00Z",
        "HOLDUNTIL=2026-11-23T12:00:00.25+02:00",
        "MT-PRIORITY=9",
        "MT-PRIORITY=-9",
        "MT-PRIORITY=+3",
    };
    static const char *const bad[] = {
        "SIZE",
        "SIZE=",
        "SIZE=1k",
        "SIZE=123456789012345678901",
        "BODY=9BIT",
        "BODY=",
        "SMTPUTF8=YES",
        "RET=ALL",
        "ENVID=",
        "ENVID=a=b",
        "ENVID=a+2b",
        "ENVID=+0A",
        "AUTH=",
        "REQUIRETLS=1",
        "BY=120",
        "BY=120;X",
        "BY=;R",
        "BY=0;R",
        "BY=-5;R",
        "BY=1234567890;R",
        "HOLDFOR=0",
        "HOLDFOR=1234567890",
        "HOLDFOR=-1",
        "HOLDUNTIL=tomorrow",
        "HOLDUNTIL=2026-11-23T12:00:00",
        "HOLDUNTIL=2026-11-23 12:00:00Z",
        "MT-PRIORITY=10",
        "MT-PRIORITY=",
        "MT-PRIORITY=--1",
    };
    static const char *const good_rcpt[] = {
        "NOTIFY=NEVER",
        "notify=success",
        "NOTIFY=SUCCESS,FAILURE,DELAY",
        "ORCPT=rfc822;user@example.com",
        "ORCPT=rfc822;a+2Bb@example.com",
        "ORCPT=utf-8;x\xc3\xa9@example.com",
    };
    static const char *const bad_rcpt[] = {
        "NOTIFY=",          "NOTIFY=NEVER,DELAY",     "NOTIFY=SUCCESS,", "NOTIFY=SOMETIMES",
        "ORCPT=",           "ORCPT=user@example.com", "ORCPT=rfc822;",   "ORCPT=rfc 822;x",
        "ORCPT=rfc822;a=b",
    };
    struct error why;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (judge(ENVELOPE_MAIL, good[i], NULL, false, &why) != ENVELOPE_GOOD) {
            fail_msg("%s: %s", good[i], why.text);
        }
        assert_int_equal(judge(ENVELOPE_RCPT, good[i], NULL, false, &why), ENVELOPE_MISPLACED);
    }
    for (size_t i = 0; i < ARRAY_LEN(good_rcpt); i++) {
        if (judge(ENVELOPE_RCPT, good_rcpt[i], NULL, false, &why) != ENVELOPE_GOOD) {
            fail_msg("%s: %s", good_rcpt[i], why.text);
        }
        assert_int_equal(judge(ENVELOPE_MAIL, good_rcpt[i], NULL, false, &why), ENVELOPE_MISPLACED);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (judge(ENVELOPE_MAIL, bad[i], NULL, false, &why) != ENVELOPE_BAD_VALUE) {
            fail_msg("%s", bad[i]);
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(bad_rcpt); i++) {
        if (judge(ENVELOPE_RCPT, bad_rcpt[i], NULL, false, &why) != ENVELOPE_BAD_VALUE) {
            fail_msg("%s", bad_rcpt[i]);
        }
    }
    assert_int_equal(judge(ENVELOPE_MAIL, "XVER\x1bP=1", NULL, false, &why), ENVELOPE_UNKNOWN);
    assert_null(strchr(why.text, '\x1b'));
    assert_int_equal(judge(ENVELOPE_MAIL, "", NULL, false, &why), ENVELOPE_UNKNOWN);
}

static void test_offers(void **state)
{
    (void)state;
    struct caps caps;
    struct error why;
    read_caps(&caps, "250-x\r\n250-SIZE 1000\r\n250-8BITMIME\r\n250-FUTURERELEASE 3600 "
                     "2027-01-01T00:00:00Z\r\n250-REQUIRETLS\r\n250 BINARYMIME\r\n");
    assert_int_equal(judge(ENVELOPE_MAIL, "SIZE=1000", &caps, false, &why), ENVELOPE_GOOD);
    assert_int_equal(judge(ENVELOPE_MAIL, "SIZE=1001", &caps, false, &why), ENVELOPE_BAD_VALUE);
    assert_non_null(strstr(why.text, "1000"));
    assert_int_equal(judge(ENVELOPE_MAIL, "HOLDFOR=3601", &caps, false, &why), ENVELOPE_BAD_VALUE);
    assert_int_equal(judge(ENVELOPE_MAIL, "RET=FULL", &caps, false, &why), ENVELOPE_NOT_OFFERED);
    assert_int_equal(judge(ENVELOPE_RCPT, "NOTIFY=NEVER", &caps, false, &why),
                     ENVELOPE_NOT_OFFERED);
    assert_int_equal(judge(ENVELOPE_MAIL, "REQUIRETLS", &caps, false, &why), ENVELOPE_NOT_OFFERED);
    assert_non_null(strstr(why.text, "TLS"));
    assert_int_equal(judge(ENVELOPE_MAIL, "REQUIRETLS", &caps, true, &why), ENVELOPE_GOOD);
    /* Without CHUNKING, binary text has no way to travel. */
    assert_int_equal(judge(ENVELOPE_MAIL, "BODY=BINARYMIME", &caps, true, &why),
                     ENVELOPE_NOT_OFFERED);
    assert_int_equal(judge(ENVELOPE_MAIL, "BODY=8BITMIME", &caps, true, &why), ENVELOPE_GOOD);
    read_caps(&caps, "250-x\r\n250 SIZE\r\n");
    assert_int_equal(judge(ENVELOPE_MAIL, "SIZE=99999999", &caps, false, &why), ENVELOPE_GOOD);
}

static void test_the_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < PARAM_COUNT; i++) {
        const struct envelope_param *p = &envelope_params[i];
        assert_int_equal(p->id, i);
        assert_ptr_equal(envelope_find(span_of(p->name)), p);
        assert_memory_equal(p->reference, "RFC ", 4);
    }
    assert_null(envelope_find(span_of("SIZES=1")));
}

static void test_lines(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 1000);
    assert_int_equal(envelope_line(ENVELOPE_MAIL, "", NULL, &out), ST_OK);
    assert_string_equal(buf_str(&out), "MAIL FROM:<>");
    buf_clear(&out);
    assert_int_equal(envelope_line(ENVELOPE_RCPT, "a@b", "  NOTIFY=NEVER X", &out), ST_OK);
    assert_string_equal(buf_str(&out), "RCPT TO:<a@b> NOTIFY=NEVER X");
    buf_clear(&out);
    assert_int_equal(envelope_line(ENVELOPE_RCPT, "a@b", "   ", &out), ST_OK);
    assert_string_equal(buf_str(&out), "RCPT TO:<a@b>");
    assert_int_equal(envelope_line(ENVELOPE_MAIL, "a\r\nDATA", NULL, &out), ST_INVALID);
    assert_int_equal(envelope_line(ENVELOPE_MAIL, "a", "x\nDATA", &out), ST_INVALID);
    buf_free(&out);
}

static void test_typed_lines(void **state)
{
    (void)state;
    static const struct {
        const char *line, *address, *params;
    } cases[] = {
        {"MAIL FROM:<a@b>", "a@b", ""},
        {"mail from: <a@b> SIZE=1  BODY=7BIT ", "a@b", "SIZE=1|BODY=7BIT|"},
        {"RCPT TO:<\"a > b\"@c> NOTIFY=NEVER", "\"a > b\"@c", "NOTIFY=NEVER|"},
        {"RCPT TO:<\"a\\\" > b\"@c>", "\"a\\\" > b\"@c", ""},
        {"MAIL FROM:<>", "", ""},
        {"MAIL FROM:a@b SIZE=1", "a@b", "SIZE=1|"},
        {"MAIL FROM:<a@b", "a@b", ""},
        {"RCPT TO:<", "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct guarded g = guarded_copy(cases[i].line, strlen(cases[i].line));
        struct span line = {g.p, g.len};
        struct span address;
        struct span param;
        struct buf params;
        size_t at = 0;
        buf_init(&params, 1000);
        assert_true(envelope_address(line, &address));
        assert_int_equal(address.len, strlen(cases[i].address));
        assert_memory_equal(address.p, cases[i].address, address.len);
        while (envelope_next_param(line, &at, &param)) {
            assert_int_equal(buf_add(&params, param.p, param.len), ST_OK);
            assert_int_equal(buf_add_char(&params, '|'), ST_OK);
        }
        assert_string_equal(buf_str(&params), cases[i].params);
        buf_free(&params);
        guarded_free(&g);
    }
    struct span address;
    assert_false(envelope_address(span_of("MAIL"), &address));
    assert_false(envelope_address(span_of(""), &address));
    assert_false(envelope_address(span_of("MAIL FROM:"), &address));
}

static void test_xtext(void **state)
{
    (void)state;
    struct buf out, back;
    char all[256];
    buf_init(&out, 10000);
    buf_init(&back, 10000);
    for (int i = 0; i < 256; i++) {
        all[i] = (char)i;
    }
    assert_int_equal(xtext_encode(all, sizeof(all), &out), ST_OK);
    assert_int_equal(xtext_decode(out.p, out.len, &back), ST_OK);
    assert_int_equal(back.len, sizeof(all));
    assert_memory_equal(back.p, all, sizeof(all));
    buf_clear(&out);
    assert_int_equal(xtext_encode("a+b=c d", 7, &out), ST_OK);
    assert_string_equal(buf_str(&out), "a+2Bb+3Dc+20d");
    static const char *const bad[] = {"+", "+2", "+2b", "+G0", "a b", "a=b", "\x7f", "\xc3\xa9"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct guarded g = guarded_copy(bad[i], strlen(bad[i]));
        assert_int_equal(xtext_decode(g.p, g.len, &back), ST_INVALID);
        guarded_free(&g);
    }
    buf_free(&out);
    buf_free(&back);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grammar),     cmocka_unit_test(test_offers),
        cmocka_unit_test(test_the_table),   cmocka_unit_test(test_lines),
        cmocka_unit_test(test_typed_lines), cmocka_unit_test(test_xtext),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where a script stands, and when it stops. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "replay.h"

static struct replay load(const char *text)
{
    struct replay r;
    struct script *s = NULL;
    struct error error = {.text = ""};
    if (script_read("test", text, strlen(text), &s, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    replay_init(&r);
    assert_int_equal(r.state, REPLAY_IDLE);
    replay_load(&r, s);
    assert_int_equal(r.state, REPLAY_WAITING);
    return r;
}

static void test_to_the_end(void **state)
{
    (void)state;
    struct replay r = load("EHLO x\nDATA\ntext\n.\nQUIT\n");
    replay_go(&r, false);
    static const int codes[] = {250, 354, 0, 250, 221};
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(r.state, REPLAY_PLAYING);
        assert_non_null(replay_step(&r));
        replay_played(&r, ST_OK, codes[i]);
    }
    assert_int_equal(r.state, REPLAY_DONE);
    assert_null(replay_step(&r));
    replay_free(&r);
}

static void test_stops_at_another_digit(void **state)
{
    (void)state;
    struct replay r = load("EHLO x\nexpect 250\nMAIL FROM:<>\nexpect 550\nNOOP\n");
    replay_go(&r, false);
    replay_played(&r, ST_OK, 220); /* the first digit counts */
    assert_int_equal(r.state, REPLAY_PLAYING);
    replay_played(&r, ST_OK, 250);
    assert_int_equal(r.state, REPLAY_UNEXPECTED);
    assert_int_equal(r.got, 250);
    replay_go(&r, false);
    replay_played(&r, ST_OK, 421);
    assert_int_equal(r.state, REPLAY_UNEXPECTED);
    replay_go(&r, false);
    assert_int_equal(r.state, REPLAY_DONE);
    replay_free(&r);
}

static void test_step_by_step(void **state)
{
    (void)state;
    struct replay r = load("NOOP\nNOOP\n");
    replay_go(&r, true);
    assert_int_equal(r.state, REPLAY_PLAYING);
    replay_played(&r, ST_OK, 250);
    assert_int_equal(r.state, REPLAY_WAITING);
    replay_go(&r, true);
    replay_played(&r, ST_OK, 250);
    assert_int_equal(r.state, REPLAY_DONE);
    replay_free(&r);
}

/* Text for a server that wants none would be a row of commands. */
static void test_refused_text_is_left_out(void **state)
{
    (void)state;
    struct replay r = load("DATA\nRSET\nQUIT\n.\nNOOP\n");
    replay_go(&r, false);
    replay_played(&r, ST_OK, 503);
    assert_int_equal(r.state, REPLAY_UNEXPECTED);
    replay_go(&r, false);
    assert_int_equal(r.state, REPLAY_PLAYING);
    assert_string_equal(replay_step(&r)->text, "NOOP");
    replay_free(&r);
}

static void test_gaps_ask(void **state)
{
    (void)state;
    struct replay r = load("AUTH LOGIN\n<hidden 8 bytes>\nNOOP\n");
    replay_go(&r, false);
    replay_played(&r, ST_OK, 334);
    assert_int_equal(r.state, REPLAY_ASKING);
    replay_played(&r, ST_OK, 235);
    assert_int_equal(r.state, REPLAY_PLAYING);
    replay_free(&r);
}

static void test_a_login_in_one_go(void **state)
{
    (void)state;
    struct replay r = load("AUTH LOGIN\nexpect 334\n<hidden 8 bytes>\nexpect 334\n"
                           "<hidden 8 bytes>\nexpect 535\nNOOP\n");
    replay_go(&r, false);
    replay_logged_in(&r, ST_OK, 535);
    assert_int_equal(r.state, REPLAY_PLAYING);
    assert_string_equal(replay_step(&r)->text, "NOOP");
    replay_free(&r);
}

static void test_the_end_of_the_connection(void **state)
{
    (void)state;
    struct replay r = load("NOOP\nQUIT\n");
    replay_go(&r, false);
    replay_played(&r, ST_EOF, 0);
    assert_int_equal(r.state, REPLAY_BROKEN);
    replay_free(&r);
    r = load("NOOP\nQUIT\n");
    replay_go(&r, false);
    replay_played(&r, ST_CANCELLED, 0);
    assert_int_equal(r.state, REPLAY_STOPPED);
    replay_free(&r);
    replay_go(&r, false);
    assert_int_equal(r.state, REPLAY_IDLE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_to_the_end),
        cmocka_unit_test(test_stops_at_another_digit),
        cmocka_unit_test(test_step_by_step),
        cmocka_unit_test(test_refused_text_is_left_out),
        cmocka_unit_test(test_gaps_ask),
        cmocka_unit_test(test_a_login_in_one_go),
        cmocka_unit_test(test_the_end_of_the_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

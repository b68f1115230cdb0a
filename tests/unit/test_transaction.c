#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "transaction.h"

static void add(struct record *r, enum smtp_dir dir, const char *text)
{
    struct line line = {.number = lines_last(r->lines) + 1,
                        .check = CHECK_NONE,
                        .dir = (uint8_t)dir,
                        .text = text,
                        .len = strlen(text)};
    assert_int_equal(lines_add(r->lines, &line), ST_OK);
}

static void what_was_taken(void **state)
{
    (void)state;
    struct record r;
    struct transaction t;
    assert_int_equal(record_init(&r, 1), ST_OK);
    add(&r, DIR_CLIENT, "MAIL FROM:<before@example.org>");
    add(&r, DIR_SERVER, "250 ok");
    add(&r, DIR_CLIENT, "RSET");
    add(&r, DIR_SERVER, "250 ok");
    add(&r, DIR_CLIENT, "mail from:<a@example.org> SMTPUTF8 BODY=8BITMIME");
    add(&r, DIR_SERVER, "250 2.1.0 ok");
    add(&r, DIR_CLIENT, "RCPT TO:<no@example.org>");
    add(&r, DIR_SERVER, "550 unknown");
    add(&r, DIR_CLIENT, "RCPT TO:<b@example.org> NOTIFY=NEVER");
    add(&r, DIR_SERVER, "250-2.1.5");
    add(&r, DIR_SERVER, "250 2.1.5 ok");
    add(&r, DIR_CLIENT, "RCPT TO:<c@example.org>");
    add(&r, DIR_SERVER, "250 ok");
    add(&r, DIR_CLIENT, "NOOP");
    add(&r, DIR_SERVER, "250 ok");
    r.session = SMTP_READY;
    transaction_read(&r, &t);
    assert_false(t.open);
    r.session = SMTP_RCPT;
    transaction_read(&r, &t);
    assert_true(t.open && t.utf8 && t.eight_bit);
    assert_string_equal(t.from, "a@example.org");
    assert_string_equal(t.to, "b@example.org");
    assert_int_equal(t.recipients, 2);
    add(&r, DIR_CLIENT, "MAIL FROM:<>");
    add(&r, DIR_SERVER, "250 ok");
    transaction_read(&r, &t);
    assert_string_equal(t.from, "");
    assert_int_equal(t.recipients, 0);
    assert_false(t.utf8 || t.eight_bit);
    record_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_was_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

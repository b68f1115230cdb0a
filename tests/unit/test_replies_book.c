#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guarded.h"
#include "replies_book.h"

#define VENDOR "vendor google\n    name Google\n"
#define CAUSE "cause a\n    class spam\n    who client\n"

struct broken {
    const char *text;
    const char *expected; /* part of the sentence */
};

static const struct broken broken_files[] = {
    {"nonsense x\n", "r.txt:1: expected vendor, cause, or an indented line, not \"nonsense\""},
    {"    class spam\n", "r.txt:1: expected vendor or cause before the first indented line"},
    {"\tclass spam\n", "r.txt:1: expected no tabs"},
    {"cause \x1b[31m\n", "r.txt:1: expected no tabs and no control characters"},
    {"cause A\n", "r.txt:1: expected the id of a cause in lower case, not \"A\""},
    {"cause\n", "r.txt:1: expected the id of a cause"},
    {"cause a b\n", "r.txt:1: expected nothing behind the id"},
    {CAUSE "cause a\n", "r.txt:4: cause a is there already, line 1"},
    {VENDOR VENDOR, "r.txt:3: vendor google is there already, line 1"},
    {"vendor Google\n", "r.txt:1: expected the id of a vendor in lower case"},
    {VENDOR "    name Again\n", "r.txt:3: expected one short name"},
    {VENDOR "    colour red\n", "r.txt:3: expected name, text, host or banner, not \"colour\""},
    {VENDOR "    host Google.com\n", "r.txt:3: expected the end of a host name in lower case"},
    {VENDOR "    host google\n", "r.txt:3: expected the end of a host name"},
    {VENDOR "    text gsmtp | gsmtp\n", "r.txt:3: \"gsmtp\" is there already, line 3"},
    {VENDOR "    text GSMTP\n", "r.txt:3: expected words as folded text has them"},
    {VENDOR "    text a |\n", "r.txt:3: expected words between the bars"},
    {"cause a\n    class nothing\n", "r.txt:2: expected one class of replies, or none"},
    {"cause a\n    class spam\n    class virus\n", "r.txt:3: expected one class"},
    {"cause a\n    who me\n", "r.txt:2: expected one of nobody client"},
    {"cause a\n    reference\n", "r.txt:2: expected one reference"},
    {CAUSE "    surely: spam\n", "r.txt:4: expected class, who, reference, certain, likely or guess"},
    {CAUSE "    certain: Spam\n", "r.txt:4: expected words as folded text has them"},
    {CAUSE "    certain: doesn't\n", "not \"doesn't\""},
    {CAUSE "    certain: bo\xc3\xaete\n", "r.txt:4: expected words as folded text"},
    {CAUSE "    certain: a  b\n", "r.txt:4: expected words as folded text"},
    {CAUSE "    certain: * a\n", "r.txt:4: expected words as folded text"},
    {CAUSE "    certain: a ** b\n", "r.txt:4: expected words as folded text"},
    {CAUSE "    certain: a__b\n", "r.txt:4: expected words as folded text"},
    {CAUSE "    certain:\n", "r.txt:4: expected words between the bars"},
    {CAUSE "    certain: a | | b\n", "r.txt:4: expected words between the bars"},
    {CAUSE "    likely\n", "r.txt:4: expected words, an enhanced code or a code"},
    {CAUSE "    likely stage=rcpt\n", "r.txt:4: expected words, an enhanced code or a code"},
    {CAUSE "    certain code=550\n", "r.txt:4: expected likely or guess: a code alone"},
    {CAUSE "    certain enhanced=.7.26\n", "r.txt:4: expected likely or guess"},
    {CAUSE "    likely vendor=nobody code=5\n", "r.txt:4: expected a vendor that is described above"},
    {CAUSE "    likely stage=later code=5\n", "r.txt:4: expected a stage (dns connect"},
    {CAUSE "    likely code=7\n", "r.txt:4: expected up to 8 codes"},
    {CAUSE "    likely code=60\n", "r.txt:4: expected up to 8 codes"},
    {CAUSE "    likely code=5500\n", "r.txt:4: expected up to 8 codes"},
    {CAUSE "    likely code=\n", "r.txt:4: expected up to 8 codes"},
    {CAUSE "    likely code=1,2,3,4,5,4,5,4,5,4\n", "r.txt:4: expected up to 8 codes"},
    {CAUSE "    likely enhanced=5.7.26\n", "r.txt:4: expected up to 6 enhanced codes"},
    {CAUSE "    likely enhanced=.7.9-5\n", "r.txt:4: expected up to 6 enhanced codes"},
    {CAUSE "    likely enhanced=.7\n", "r.txt:4: expected up to 6 enhanced codes"},
    {CAUSE "    likely colour=red\n", "r.txt:4: expected vendor=, stage=, code= or enhanced=, not "},
    {CAUSE "    likely spam\n", "r.txt:4: expected vendor=, stage=, code= or enhanced=, or a colon"},
    {CAUSE "    likely code=5\n        | spam\n", "r.txt:5: expected words in the line before"},
    {CAUSE "        | spam\n", "r.txt:4: expected words in the line before"},
};

static enum status read_guarded(const char *text, size_t len, struct book *b, struct error *error)
{
    struct guarded page = guarded_copy(text, len);
    enum status st = book_read(b, "r.txt", page.p, len, error);
    guarded_free(&page);
    return st;
}

static void faults_name_file_and_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken_files); i++) {
        const struct broken *broken = &broken_files[i];
        struct book b;
        struct error error = {0};
        enum status st = read_guarded(broken->text, strlen(broken->text), &b, &error);
        if (st != ST_INVALID || strstr(error.text, broken->expected) == NULL) {
            fail_msg("expected \"%s\", got %s \"%s\"", broken->expected, status_name(st),
                     error.text);
        }
        book_free(&b);
    }
}

/* A cause for every class, so that a whole is complete. */
static void add_classes(struct buf *text)
{
    for (size_t i = CLASS_NONE + 1; book_class_name(i) != NULL; i++) {
        assert_int_equal(buf_addf(text, "cause class.%s\n    class %s\n    who server\n",
                                  book_class_name(i), book_class_name(i)),
                         ST_OK);
    }
}

static enum status check(const char *rules, struct book *b, struct error *error)
{
    struct buf text;
    buf_init(&text, BOOK_FILE_MAX);
    add_classes(&text);
    assert_int_equal(buf_add_str(&text, rules), ST_OK);
    enum status st = read_guarded(text.p, text.len, b, error);
    if (st != ST_OK) {
        fail_msg("%s", error->text);
    }
    buf_free(&text);
    return book_check(b, error);
}

static void refuses(const char *rules, const char *expected)
{
    struct book b;
    struct error error = {0};
    enum status st = check(rules, &b, &error);
    if (st != ST_INVALID || strstr(error.text, expected) == NULL) {
        fail_msg("expected \"%s\", got %s \"%s\"", expected, status_name(st), error.text);
    }
    book_free(&b);
}

static void accepts(const char *rules)
{
    struct book b;
    struct error error = {0};
    if (check(rules, &b, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    book_free(&b);
}

static void the_whole_must_be_complete(void **state)
{
    (void)state;
    struct book b;
    struct error error = {0};
    assert_int_equal(read_guarded("", 0, &b, &error), ST_OK);
    assert_int_equal(book_check(&b, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "expected a cause class.unknown-recipient"));
    book_free(&b);
    refuses("cause a\n    class spam\n    likely code=5\n", "expected class and who for cause a");
    refuses("cause a\n    who dns\n    likely code=5\n", "expected class and who for cause a");
    refuses(CAUSE, "expected a rule for cause a");
    refuses("vendor x\n    text x1\n", "expected a name for vendor x");
    refuses("cause class.other\n    class spam\n    who dns\n",
            "expected class.other to be of the class that it is named after");
    accepts(CAUSE "    likely code=5\n");
}

static void rules_that_never_win_are_faults(void **state)
{
    (void)state;
    static const char never[] = "this rule can never speak";
    refuses(CAUSE "    certain: spam | spam\n", never);
    refuses(CAUSE "    certain: spam | spam message\n", never);
    refuses(CAUSE "    certain: spam\n    likely: antispam\n", never);
    refuses(CAUSE "    certain: a * c\n    likely: a b c\n", never);
    refuses(CAUSE "    certain: a#c\n    likely: a1c\n", never);
    refuses(CAUSE "    certain: a#c\n    likely: xa#c\n", never);
    refuses(CAUSE "    likely code=5\n    likely code=550\n", never);
    refuses(CAUSE "    likely enhanced=.7.\n    likely enhanced=.7.26\n", never);
    refuses(CAUSE "    likely enhanced=.7.1-9: a\n    likely stage=rcpt enhanced=.7.2-8: a b\n",
            never);
    refuses(VENDOR CAUSE "    certain vendor=google: a\n    likely vendor=google: a\n", never);
    refuses(VENDOR CAUSE "    likely: a\n    guess vendor=google: a\n", never);

    accepts(CAUSE "    certain: spam message | spam\n");
    accepts(CAUSE "    certain: spam_\n    likely: spam\n");
    accepts(CAUSE "    certain: a1c\n    likely: a#c\n");
    accepts(CAUSE "    certain: a b c\n    likely: a * c\n");
    accepts(CAUSE "    likely code=550\n    guess code=5\n");
    accepts(CAUSE "    likely stage=rcpt code=5\n    guess code=5\n");
    accepts(CAUSE "    likely code=5: a\n    guess: a\n");
    accepts(VENDOR CAUSE "    certain: a\n    likely vendor=google: a\n");
    /* What names no code speaks of refusals alone. */
    accepts(CAUSE "    certain: a\n    likely code=2: a\n");
    refuses(CAUSE "    certain: a\n    likely code=4: a\n", never);
}

static void rules_are_put_into_order(void **state)
{
    (void)state;
    static const unsigned wanted[] = {7, 6, 4, 3, 5, 2, 1};
    struct book b;
    struct error error = {0};
    assert_int_equal(check(VENDOR "cause x\n    class spam\n    who dns\n"
                                  "    guess: one\n    guess vendor=google: two\n"
                                  "    likely: four\n    certain: three\n    likely code=550\n"
                                  "    likely vendor=google enhanced=.7.1\n"
                                  "    likely vendor=google: seven\n",
                           &b, &error),
                     ST_OK);
    assert_int_equal(b.rule_count, ARRAY_LEN(wanted));
    unsigned first = b.rules[b.rule_count - 1].line;
    for (size_t i = 0; i < b.rule_count; i++) {
        assert_int_equal(b.rules[i].line, first + wanted[i] - 1);
    }
    book_free(&b);
}

/* Every prefix of a good file, at the end of a page: it is read or refused. */
static void prefixes_never_read_past_the_end(void **state)
{
    (void)state;
    static const char text[] =
        "# comment\n" VENDOR "    host google.com | gmail.com\n    text gsmtp\n        | gcdp\n" CAUSE
        "    reference RFC 1\n    certain vendor=google code=5,421 enhanced=.7.26,.7.1-9: a * b#\n"
        "        | c_ | \xd1\x81\xd0\xbf\xd0\xb0\xd0\xbc\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct book b;
        struct error error = {0};
        enum status st = read_guarded(text, len, &b, &error);
        assert_true(st == ST_OK || st == ST_INVALID);
        book_free(&b);
    }
}

static void long_lines_are_faults(void **state)
{
    (void)state;
    char text[BOOK_LINE_MAX + 32];
    struct book b;
    struct error error = {0};
    memset(text, 'a', sizeof(text));
    assert_int_equal(read_guarded(text, sizeof(text), &b, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "r.txt:1: expected a shorter line"));
    book_free(&b);
    assert_int_equal(read_guarded("cause a\0b\n", 10, &b, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "NUL"));
    book_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(the_whole_must_be_complete),
        cmocka_unit_test(rules_that_never_win_are_faults),
        cmocka_unit_test(rules_are_put_into_order),
        cmocka_unit_test(prefixes_never_read_past_the_end),
        cmocka_unit_test(long_lines_are_faults),
    };
    return cmocka_run_group_tests_name("replies_book", tests, NULL, NULL);
}

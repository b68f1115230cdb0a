#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "guarded.h"
#include "guide_checks.h"
#include "guide_file.h"
#include "reply_decode.h"

#define NAME_MAX_BYTES 54 /* fits a row of the smallest box */
#define SIGN_MAX_BYTES 110

static const char *const check_ids[] = {
#define X(id, name) name,
    CHECK_LIST(X)
#undef X
};

static void every_finding_has_a_text(void **state)
{
    (void)state;
    struct guide *g = load_english();
    for (size_t i = 0; i < finding_kind_count; i++) {
        if (!guide_has(g, finding_kinds[i].id)) {
            fail_msg("the guide has no entry [%s]", finding_kinds[i].id);
        }
    }
    char name[64];
    for (size_t i = 0; i < ARRAY_LEN(check_ids); i++) {
        snprintf(name, sizeof(name), "check %s", check_ids[i]);
        if (!guide_has(g, name)) {
            fail_msg("the guide has no entry [%s]", name);
        }
    }
    guide_free(g);
}

/* That findings and causes exist is already demanded by the reader. */
static void entry_is_known(void *ctx, const char *name)
{
    size_t *count = ctx;
    (*count)++;
    if (strncmp(name, "check ", 6) != 0) {
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(check_ids); i++) {
        if (strcmp(check_ids[i], name + 6) == 0) {
            return;
        }
    }
    fail_msg("[%s] belongs to no check", name);
}

static void every_text_has_a_finding(void **state)
{
    (void)state;
    struct guide *g = load_english();
    size_t count = 0;
    guide_each(g, entry_is_known, &count);
    assert_int_equal(count, finding_kind_count + ARRAY_LEN(check_ids) + reply_cause_count);
    guide_free(g);
}

static void texts_are_complete(void **state)
{
    (void)state;
    struct guide *g = load_english();
    for (size_t i = 0; i < finding_kind_count; i++) {
        const struct finding_kind *k = &finding_kinds[i];
        struct finding f;
        finding_init(&f, k->id);
        struct guide_text t;
        assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
        check_ascii(k->id, t.title);
        check_ascii(k->id, t.means);
        for (size_t s = 0; s < t.step_count; s++) {
            check_ascii(k->id, t.steps[s].text);
        }
        if (k->verdict > VERDICT_OK && t.step_count == 0) {
            fail_msg("%s does not say what to do", k->id);
        }
        if (strlen(t.title) > 110) {
            fail_msg("%s: the title is too long for one line", k->id);
        }
        check_link(k->id, k->reference, t.link);
        guide_text_free(&t);
        finding_free(&f);
    }
    guide_free(g);
}

static void no_double(const char *what, const char *id, const char *text,
                      const char *(*other)(const struct guide *g, const char *id),
                      const struct guide *g)
{
    for (size_t i = 0; i < finding_kind_count; i++) {
        const char *known = finding_kinds[i].id;
        if (strcmp(known, id) != 0 && strcmp(other(g, known), text) == 0) {
            fail_msg("%s and %s have the same %s", id, known, what);
        }
    }
}

/* A lesson asks which finding it is, by their names, and tells how the wrong one would show. */
static void what_can_be_a_cause_has_name_and_sign(void **state)
{
    (void)state;
    struct guide *g = load_english();
    for (size_t i = 0; i < finding_kind_count; i++) {
        const struct finding_kind *k = &finding_kinds[i];
        const char *name = guide_name(g, k->id), *sign = guide_sign(g, k->id);
        size_t len = strlen(name), sign_len = strlen(sign);
        if (len == 0 || len > NAME_MAX_BYTES || name[len - 1] == '.') {
            fail_msg("%s: expected name: without a full stop, at most %d bytes", k->id,
                     NAME_MAX_BYTES);
        }
        if (k->verdict != VERDICT_OK &&
            (sign_len == 0 || sign_len > SIGN_MAX_BYTES || sign[sign_len - 1] != '.')) {
            fail_msg("%s: expected sign: with a sentence, at most %d bytes", k->id, SIGN_MAX_BYTES);
        }
        check_ascii(k->id, name);
        check_ascii(k->id, sign);
        no_double("name", k->id, name, guide_name, g);
        if (sign_len > 0) {
            no_double("sign", k->id, sign, guide_sign, g);
        }
    }
    assert_string_equal(guide_sign(g, "dns.mx.found"), "");
    assert_string_equal(guide_name(g, "no.such"), "");
    guide_free(g);
}

static char *make_dir(char *template)
{
    char *dir = mkdtemp(template);
    assert_non_null(dir);
    char path[256];
    snprintf(path, sizeof(path), "%s/guide", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    return dir;
}

static void put(const char *dir, const char *name, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/guide/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void drop(const char *dir, const char *const *names, size_t count)
{
    char path[256];
    for (size_t i = 0; i < count; i++) {
        snprintf(path, sizeof(path), "%s/guide/%s", dir, names[i]);
        unlink(path);
    }
    snprintf(path, sizeof(path), "%s/guide", dir);
    rmdir(path);
    rmdir(dir);
}

static void arguments_are_filled_in_and_escaped(void **state)
{
    (void)state;
    struct guide *g = load_english();
    struct finding f;
    finding_init(&f, "smtp.banner.refused");
    finding_arg(&f, "code", "554");
    finding_arg(&f, "text", "no \x1b[31m mail {code} \xc3\xa9\xff\n");
    struct guide_text t;
    assert_int_equal(guide_finding(g, &f, false, &t), ST_OK);
    assert_string_equal(t.title, "The server greets with a refusal: 554 no \\x1b[31m mail {code} "
                                 "\xc3\xa9\\xff\\x0a");
    guide_text_free(&t);
    assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
    assert_non_null(strstr(t.title, "\\u{00E9}\\xff"));
    guide_text_free(&t);
    finding_free(&f);

    finding_init(&f, "smtp.ehlo.auth_in_clear");
    assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
    assert_string_equal(t.title, "The server offers login before encryption: ?");
    assert_non_null(strstr(t.steps[0].text, "${if eq{$tls_in_cipher}{}{}{*}};"));
    guide_text_free(&t);
    finding_free(&f);
    guide_free(g);
}

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    static const char text[] = "[smtp.banner.ok]\ntitle: a[[ ({banner}[x])]], b[[ {software} "
                               "{banner}]]][\nmeans: [[]]{{[[{{]]m\n";
    char template[] = "/tmp/guide-XXXXXX";
    char *dir = make_dir(template);
    put(dir, "qq.txt", text);
    struct guide *g = NULL;
    struct error error = {0};
    if (guide_load(&g, dir, "qq", &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    struct finding f;
    struct guide_text t;
    finding_init(&f, "smtp.banner.ok");
    assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
    assert_string_equal(t.title, "a, b][");
    assert_string_equal(t.means, "{{m");
    guide_text_free(&t);
    finding_arg(&f, "banner", "]] [[");
    finding_arg(&f, "software", "");
    assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
    assert_string_equal(t.title, "a (]] [[[x]), b][");
    guide_text_free(&t);
    finding_arg(&f, "software", "S");
    assert_int_equal(guide_finding(g, &f, true, &t), ST_OK);
    assert_string_equal(t.title, "a (]] [[[x]), b S ]] [[][");
    guide_text_free(&t);
    finding_free(&f);
    guide_free(g);
    drop(dir, (const char *const[]){"qq.txt"}, 1);
}

static void checks_are_explained(void **state)
{
    (void)state;
    struct guide *g = load_english();
    struct guide_text t;
    assert_int_equal(guide_check(g, "dns.mx", &t), ST_OK);
    assert_non_null(strstr(t.means, "MX"));
    guide_text_free(&t);
    assert_int_equal(guide_check(g, "no.such", &t), ST_INVALID);
    guide_text_free(&t);
    guide_free(g);
}

struct broken {
    const char *text;
    const char *expected; /* part of the sentence */
};

#define GOOD "[check.stopped]\ntitle: t\nmeans: m\n"

static const struct broken broken_files[] = {
    {"title: x\n", "g.txt:1: expected [name]"},
    {"  x\n", "g.txt:1: expected a line before"},
    {"[dns.mx.null\n", "g.txt:1: expected ]"},
    {"[]\n", "g.txt:1: expected the name of a finding"},
    {"[no.such]\n", "not [no.such]"},
    {"[check ]\n", "g.txt:1: expected the name"},
    {"[reply.nothing]\n", "g.txt:1: expected the name"},
    {"[class spam]\n", "g.txt:1: expected the name"},
    {"[check.stopped]\ntitle: t\n", "g.txt:1: expected text after means:"},
    {"[check.stopped]\nmeans: t\n" GOOD, "g.txt:1: expected text after title:"},
    {GOOD "\n" GOOD, "g.txt:5: [check.stopped] is there already, line 1"},
    {GOOD "title: again\n", "g.txt:4: title: is there already"},
    {GOOD "do nobody: x\n", "g.txt:4: expected client, server"},
    {"[dns.mx.null]\ntitle: t\nname: {domain}\nmeans: m\n",
     "g.txt:3: expected a name or sign without {"},
    {"[dns.mx.null]\ntitle: t\nsign: s\n  [[x]]\nmeans: m\n",
     "g.txt:4: expected a name or sign without {"},
    {"[dns.mx.null]\ntitle: t\nsign: s\nsign: s\n", "g.txt:4: sign: is there already"},
    {GOOD "do: x\n", "g.txt:4: expected [name]"},
    {GOOD "do any:\n", "g.txt:1: expected text after do:"},
    {GOOD "advice: x\n", "g.txt:4: expected [name]"},
    {GOOD "nothing\n", "g.txt:4: expected [name]"},
    {GOOD "\n more\n", "g.txt:5: expected a line before"},
    {"[check.stopped]\ntitle: {domain}\nmeans: m\n", "g.txt:2: [check.stopped] has no argument "
                                                     "{domain}; it may use: none"},
    {"[dns.mx.null]\ntitle: {domain}\nmeans: m\n  more {host}\n",
     "g.txt:4: [dns.mx.null] has no argument {host}; it may use: domain"},
    {"[dns.mx.null]\ntitle: {Domain}\nmeans: m\n", "g.txt:2: expected {name}"},
    {"[dns.mx.null]\ntitle: {domain\nmeans: m\n", "g.txt:2: expected {name}"},
    {"[dns.mx.null]\ntitle: {\nmeans: m\n", "g.txt:2: expected {name}"},
    {"[check.stopped]\ntitle: a [[b\nmeans: m\n", "g.txt:1: expected ]] for every [["},
    {"[check.stopped]\ntitle: a\nmeans: m]]\n", "g.txt:1: expected ]] for every [["},
    {GOOD "do any: [[ [[ ]]\n", "g.txt:1: expected ]] for every [["},
    {GOOD "do any: \xff\n", "g.txt:4: expected UTF-8"},
    {GOOD "do any: \x1b[31m\n", "g.txt:4: a control character"},
    {GOOD "do any: \xc2\x9b\n", "g.txt:4: a control character"},
    {GOOD "do any: 1\ndo any: 2\ndo any: 3\ndo any: 4\ndo any: 5\ndo any: 6\ndo any: 7\n"
          "do any: 8\ndo any: 9\ndo any: 10\ndo any: 11\ndo any: 12\ndo any: 13\n",
     "g.txt:16: more than 12 steps"},
};

static void faults_name_file_and_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(broken_files); i++) {
        const struct broken *b = &broken_files[i];
        struct guide_book book;
        struct error error = {0};
        enum status st = guide_file_parse(&book, "g.txt", b->text, strlen(b->text), &error);
        if (st != ST_INVALID || strstr(error.text, b->expected) == NULL) {
            fail_msg("expected \"%s\", got %s \"%s\"", b->expected, status_name(st), error.text);
        }
        assert_int_equal(book.count, 0);
        assert_null(book.entries);
    }
}

static void a_nul_is_a_fault(void **state)
{
    (void)state;
    static const char text[] = "[check.stopped]\ntitle: a\0b\nmeans: m\n";
    struct guide_book book;
    struct error error = {0};
    assert_int_equal(guide_file_parse(&book, "g.txt", text, sizeof(text) - 1, &error), ST_INVALID);
    assert_non_null(strstr(error.text, "g.txt:2: a control character"));
}

static void odd_but_right_files_are_read(void **state)
{
    (void)state;
    static const char text[] =
        "\xef\xbb\xbf# comment\r\n\r\n[dns.mx.null]\r\ntitle:  {domain} x {{y}\r\n"
        "\tmore  \r\n# in between\r\n  and more\r\nname: n\r\n n\r\nsign: s\r\n"
        "means: m {domain}\r\n\r\n"
        "do third-party: z\r\nlink: l";
    struct guide_book book;
    struct error error = {0};
    if (guide_file_parse(&book, "g.txt", text, sizeof(text) - 1, &error) != ST_OK) {
        fail_msg("%s", error.text);
    }
    assert_int_equal(book.count, 1);
    assert_string_equal(book.entries[0].title, "{domain} x {{y} more and more");
    assert_string_equal(book.entries[0].means, "m {domain}");
    assert_string_equal(book.entries[0].called, "n n");
    assert_string_equal(book.entries[0].sign, "s");
    assert_int_equal(book.entries[0].steps[0].who, WHO_THIRD_PARTY);
    assert_string_equal(book.entries[0].link, "l");
    assert_ptr_equal(guide_book_find(&book, "dns.mx.null"), &book.entries[0]);
    guide_book_free(&book);
    assert_int_equal(guide_file_parse(&book, "g.txt", "", 0, &error), ST_OK);
    assert_int_equal(book.count, 0);
}

/* Every prefix of a good file, at the end of a page: it is read or refused, and nothing behind is
 * touched. */
static void prefixes_never_read_past_the_end(void **state)
{
    (void)state;
    static const char text[] =
        "[dns.mx.null]\ntitle: {domain} \xc3\xa9\nmeans: m {{ }\n"
        "do dns: {domain}. IN MX 0 .\n  more\n[reply.class.spam]\ntitle: a\nmeans: b\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct guarded page = guarded_copy(text, len);
        struct guide_book book;
        struct error error = {0};
        enum status st = guide_file_parse(&book, "g.txt", page.p, len, &error);
        assert_true(st == ST_OK || st == ST_INVALID);
        guide_book_free(&book);
        guarded_free(&page);
    }
}

static void assert_title(const struct guide *g, const char *id, const char *expected)
{
    struct finding f;
    finding_init(&f, id);
    finding_arg(&f, "domain", "example.com");
    struct guide_text t;
    assert_int_equal(guide_finding(g, &f, false, &t), ST_OK);
    assert_string_equal(t.title, expected);
    guide_text_free(&t);
    finding_free(&f);
}

static void assert_cause(const struct guide *g, const char *id, const char *expected)
{
    struct guide_text t;
    assert_int_equal(guide_cause(g, reply_cause_find(id), &t), ST_OK);
    assert_string_equal(t.title, expected);
    guide_text_free(&t);
}

static void languages_fall_back_to_english(void **state)
{
    (void)state;
    char template[] = "/tmp/guide-XXXXXX";
    char *dir = make_dir(template);
    put(dir, "es.txt", "[dns.mx.null]\ntitle: {domain} no acepta correo\n"
                       "name: El dominio no acepta correo\nmeans: m\n");
    put(dir, "es-replies.txt", "[reply.class.spam]\ntitle: Parece correo basura\nmeans: m\n");
    put(dir, "en.txt", "[dns.mx.nxdomain]\ntitle: {domain} is not there\nmeans: m\n");
    static const char *const langs[] = {"es", "es_MX", "es_MX.UTF-8", "es@latin"};
    struct guide *g = NULL;
    struct error error = {0};
    for (size_t i = 0; i < ARRAY_LEN(langs); i++) {
        assert_int_equal(guide_load(&g, dir, langs[i], &error), ST_OK);
        assert_title(g, "dns.mx.null", "example.com no acepta correo");
        assert_title(g, "dns.mx.nxdomain", "example.com is not there");
        assert_title(g, "check.stopped", "This step was stopped before its end");
        assert_string_equal(guide_name(g, "dns.mx.null"), "El dominio no acepta correo");
        assert_non_null(strstr(guide_sign(g, "dns.mx.null"), "a dot in the place of the host"));
        assert_true(guide_has(g, "dns.mx.null"));
        assert_cause(g, "reply.class.spam", "Parece correo basura");
        assert_cause(g, "reply.class.virus", "The server found harmful content");
        assert_false(guide_has(g, "check.stopped"));
        guide_free(g);
    }
    static const char *const others[] = {"de", "C", "en_GB.UTF-8", "", "../guide/es", "/es"};
    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        assert_int_equal(guide_load(&g, dir, others[i], &error), ST_OK);
        assert_title(g, "dns.mx.null", "example.com says that it takes no mail");
        assert_title(g, "dns.mx.nxdomain", "example.com is not there");
        assert_true(guide_has(g, "check.stopped"));
        guide_free(g);
    }
    drop(dir, (const char *const[]){"es.txt", "es-replies.txt", "en.txt"}, 3);
}

static void broken_language_files_are_told(void **state)
{
    (void)state;
    char template[] = "/tmp/guide-XXXXXX";
    char *dir = make_dir(template);
    put(dir, "xx.txt", "# a comment\n[dns.mx.null]\ntitle: {nothing}\n");
    struct guide *g = NULL;
    struct error error = {0};
    assert_int_equal(guide_load(&g, dir, "xx", &error), ST_INVALID);
    assert_null(g);
    assert_non_null(strstr(error.text, "/guide/xx.txt:3: "));

    /* Must neither block nor be believed. */
    char path[256];
    snprintf(path, sizeof(path), "%s/guide/yy.txt", dir);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(guide_load(&g, dir, "yy", &error), ST_INVALID);
    assert_non_null(strstr(error.text, "not a regular file"));
    drop(dir, (const char *const[]){"xx.txt", "yy.txt"}, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_finding_has_a_text),
        cmocka_unit_test(every_text_has_a_finding),
        cmocka_unit_test(texts_are_complete),
        cmocka_unit_test(what_can_be_a_cause_has_name_and_sign),
        cmocka_unit_test(arguments_are_filled_in_and_escaped),
        cmocka_unit_test(what_is_not_known_is_left_out),
        cmocka_unit_test(checks_are_explained),
        cmocka_unit_test(faults_name_file_and_line),
        cmocka_unit_test(a_nul_is_a_fault),
        cmocka_unit_test(odd_but_right_files_are_read),
        cmocka_unit_test(prefixes_never_read_past_the_end),
        cmocka_unit_test(languages_fall_back_to_english),
        cmocka_unit_test(broken_language_files_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
